#![doc = include_str!("../README.md")]
#![allow(unsafe_code, reason = "C passes pointers")]

use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use prism_agent::{Element, Observations, Pixels, Policy, Screens};

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// All is well.
    Ok = 0,
    /// A pointer is null.
    Null = 1,
    /// Observations or a screen have another length than expected.
    Length = 2,
    /// The place for the answer has another length than the answer.
    Room = 3,
    /// The policy takes other observations or gives no such answer.
    Kind = 4,
    /// Epsilon is not a probability.
    Epsilon = 5,
    /// A bug in prism.
    Bug = 6,
}

/// Runs a call. A panic would be a bug: it ends here and not in the caller's program.
fn guarded(call: impl FnOnce() -> Result<(), Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(_) => Status::Bug,
    }
}

/// # Safety
/// `pointer` is null or leads to a value that nobody else uses.
unsafe fn unique<'a, T>(pointer: *mut T) -> Result<&'a mut T, Status> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_mut() }.ok_or(Status::Null)
}

/// # Safety
/// `pointer` is null or leads to a value that nobody changes.
unsafe fn shared<'a, T>(pointer: *const T) -> Result<&'a T, Status> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or(Status::Null)
}

/// # Safety
/// `pointer` is null or leads to `length` values.
unsafe fn values<'a, T>(pointer: *const T, length: usize) -> Result<&'a [T], Status> {
    if pointer.is_null() {
        return Err(Status::Null);
    }
    if length > isize::MAX as usize / size_of::<T>() {
        return Err(Status::Length);
    }
    // SAFETY: as the caller promises; the slice is no larger than memory can be.
    Ok(unsafe { slice::from_raw_parts(pointer, length) })
}

/// Copies an answer to where it is wanted.
///
/// # Safety
/// `to` is null or leads to room for `count` values.
unsafe fn answer<T: Copy>(answer: &[T], to: *mut T, count: usize) -> Result<(), Status> {
    if to.is_null() {
        return Err(Status::Null);
    }
    if answer.len() != count {
        return Err(Status::Room);
    }
    // SAFETY: there is room for as many values as there are; nothing of ours overlaps with the caller's memory.
    unsafe { ptr::copy_nonoverlapping(answer.as_ptr(), to, count) };
    Ok(())
}

/// Writes a text with a zero at its end.
///
/// # Safety
/// `to` is null or leads to room for `room` characters.
unsafe fn text(text: &str, to: *mut c_char, room: usize) -> Result<(), Status> {
    if to.is_null() {
        return Err(Status::Null);
    }
    if text.len() >= room {
        return Err(Status::Room);
    }
    // SAFETY: there is room for the text and the zero.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr().cast(), to, text.len());
        to.add(text.len()).write(0);
    }
    Ok(())
}

/// Checks observations for a policy.
fn checked<'a>(policy: &Policy, observations: Observations<'a>) -> Result<Observations<'a>, Status> {
    let (given, one) = match observations {
        Observations::Bytes(bytes) => (bytes.len(), policy.observation_bytes()),
        Observations::Floats(floats) => (floats.len(), policy.observation_len()),
    };
    let bytes = matches!(observations, Observations::Bytes(_));
    if bytes != (policy.description().input.element == Element::U8) {
        return Err(Status::Kind);
    }
    if given.is_multiple_of(one) { Ok(observations) } else { Err(Status::Length) }
}

/// Loads a policy file: see the header.
///
/// # Safety
/// `bytes` is null or leads to `length` bytes, `message` is null or leads to room for `room` characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_load(
    bytes: *const u8,
    length: usize,
    message: *mut c_char,
    room: usize,
) -> *mut Policy {
    let loaded = catch_unwind(|| {
        // SAFETY: as the caller promises.
        let bytes = unsafe { values(bytes, length) }.map_err(|_| "there are no bytes".to_owned())?;
        Policy::from_bytes(bytes).map_err(|error| error.to_string())
    });
    match loaded.unwrap_or_else(|_| Err("this is a bug in prism".to_owned())) {
        Ok(policy) => Box::into_raw(Box::new(policy)),
        Err(reason) => {
            let reason = &reason[..reason.floor_char_boundary(room.saturating_sub(1))];
            // SAFETY: as the caller promises. Without room nothing is said.
            let _ = unsafe { text(reason, message, room) };
            ptr::null_mut()
        }
    }
}

/// Copies a policy: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_copy(policy: *const Policy) -> *mut Policy {
    // SAFETY: as the caller promises.
    unsafe { shared(policy) }.map_or(ptr::null_mut(), |policy| Box::into_raw(Box::new(policy.clone())))
}

/// Ends a policy: see the header.
///
/// # Safety
/// `policy` is null or a policy, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_free(policy: *mut Policy) {
    if !policy.is_null() {
        // SAFETY: it was made by `Box::into_raw`, and the caller promises that it is freed once.
        drop(unsafe { Box::from_raw(policy) });
    }
}

/// How many actions there are: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_actions(policy: *const Policy) -> usize {
    // SAFETY: as the caller promises.
    unsafe { shared(policy) }.map_or(0, Policy::actions)
}

/// How long an observation is: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_observation_length(policy: *const Policy) -> usize {
    // SAFETY: as the caller promises.
    unsafe { shared(policy) }.map_or(0, Policy::observation_len)
}

/// Whether observations are bytes: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_takes_bytes(policy: *const Policy) -> c_int {
    // SAFETY: as the caller promises.
    let policy = unsafe { shared(policy) };
    c_int::from(policy.is_ok_and(|policy| policy.description().input.element == Element::U8))
}

/// How many atoms there are: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_atoms(policy: *const Policy) -> usize {
    // SAFETY: as the caller promises.
    unsafe { shared(policy) }.map_or(0, |policy| policy.support().map_or(0, <[f32]>::len))
}

/// The name of an action: see the header.
///
/// # Safety
/// `policy` is null or a policy, `name` is null or leads to room for `room` characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_action_name(
    policy: *const Policy,
    action: usize,
    name: *mut c_char,
    room: usize,
) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        let card = unsafe { shared(policy)? }.card();
        let known = card.and_then(|card| card.actions.get(action)).ok_or(Status::Kind)?;
        // SAFETY: as the caller promises.
        unsafe { text(known, name, room) }
    })
}

/// Sets the seed: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_seed(policy: *mut Policy, seed: u64) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        let policy = unsafe { unique(policy)? };
        *policy = policy.clone().with_seed(seed);
        Ok(())
    })
}

/// # Safety
/// `policy` is null or a policy, `actions` is null or leads to room for `count` actions.
unsafe fn act(
    policy: *mut Policy,
    observations: Result<Observations<'_>, Status>,
    epsilon: f64,
    actions: *mut usize,
    count: usize,
) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        let policy = unsafe { unique(policy)? };
        let observations = checked(policy, observations?)?;
        if !(0.0..=1.0).contains(&epsilon) {
            return Err(Status::Epsilon);
        }
        // SAFETY: as the caller promises.
        unsafe { answer(policy.act(observations, epsilon), actions, count) }
    })
}

/// Chooses actions: see the header.
///
/// # Safety
/// `policy` is null or a policy, `observations` is null or leads to `length` bytes, `actions` is null or leads to room for
/// `count` actions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_act_bytes(
    policy: *mut Policy,
    observations: *const u8,
    length: usize,
    epsilon: f64,
    actions: *mut usize,
    count: usize,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe { act(policy, values(observations, length).map(Observations::Bytes), epsilon, actions, count) }
}

/// Chooses actions: see the header.
///
/// # Safety
/// As [`prism_policy_act_bytes`], with `length` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_act_floats(
    policy: *mut Policy,
    observations: *const f32,
    length: usize,
    epsilon: f64,
    actions: *mut usize,
    count: usize,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe { act(policy, values(observations, length).map(Observations::Floats), epsilon, actions, count) }
}

/// # Safety
/// `policy` is null or a policy, `to` is null or leads to room for `count` numbers.
unsafe fn look(
    policy: *mut Policy,
    observations: Result<Observations<'_>, Status>,
    look: impl for<'a> FnOnce(&'a mut Policy, Observations<'_>) -> Option<&'a [f32]>,
    to: *mut f32,
    count: usize,
) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        let policy = unsafe { unique(policy)? };
        let observations = checked(policy, observations?)?;
        // SAFETY: as the caller promises.
        unsafe { answer(look(policy, observations).ok_or(Status::Kind)?, to, count) }
    })
}

/// Computes q-values: see the header.
///
/// # Safety
/// `policy` is null or a policy, `observations` is null or leads to `length` bytes, `to` is null or leads to room for
/// `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_values_bytes(
    policy: *mut Policy,
    observations: *const u8,
    length: usize,
    to: *mut f32,
    count: usize,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe {
        let observations = values(observations, length).map(Observations::Bytes);
        look(policy, observations, |policy, observations| Some(policy.values(observations)), to, count)
    }
}

/// Computes q-values: see the header.
///
/// # Safety
/// As [`prism_policy_values_bytes`], with `length` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_values_floats(
    policy: *mut Policy,
    observations: *const f32,
    length: usize,
    to: *mut f32,
    count: usize,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe {
        let observations = values(observations, length).map(Observations::Floats);
        look(policy, observations, |policy, observations| Some(policy.values(observations)), to, count)
    }
}

/// Computes distributions: see the header.
///
/// # Safety
/// As [`prism_policy_values_bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_distributions_bytes(
    policy: *mut Policy,
    observations: *const u8,
    length: usize,
    to: *mut f32,
    count: usize,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe {
        let observations = values(observations, length).map(Observations::Bytes);
        look(policy, observations, |policy, observations| policy.distributions(observations), to, count)
    }
}

/// Computes distributions: see the header.
///
/// # Safety
/// As [`prism_policy_values_bytes`], with `length` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_distributions_floats(
    policy: *mut Policy,
    observations: *const f32,
    length: usize,
    to: *mut f32,
    count: usize,
) -> Status {
    // SAFETY: as the caller promises.
    unsafe {
        let observations = values(observations, length).map(Observations::Floats);
        look(policy, observations, |policy, observations| policy.distributions(observations), to, count)
    }
}

/// The atoms: see the header.
///
/// # Safety
/// `policy` is null or a policy, `to` is null or leads to room for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_policy_support(policy: *const Policy, to: *mut f32, count: usize) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        unsafe { answer(shared(policy)?.support().ok_or(Status::Kind)?, to, count) }
    })
}

/// Makes observations of screens: see the header.
///
/// # Safety
/// `policy` is null or a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_screens_new(
    policy: *const Policy,
    pixels: c_int,
    rows: usize,
    columns: usize,
) -> *mut Screens {
    let pixels = match pixels {
        0 => Pixels::Rgba,
        1 => Pixels::Rgb,
        2 => Pixels::Grey,
        _ => return ptr::null_mut(),
    };
    let made = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as the caller promises.
        let frames = unsafe { shared(policy) }.ok()?.card()?.frames?;
        Screens::new(frames, pixels, (rows, columns)).ok()
    }));
    made.ok().flatten().map_or(ptr::null_mut(), |screens| Box::into_raw(Box::new(screens)))
}

/// Ends screens: see the header.
///
/// # Safety
/// `screens` is null or what [`prism_screens_new`] made, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_screens_free(screens: *mut Screens) {
    if !screens.is_null() {
        // SAFETY: it was made by `Box::into_raw`, and the caller promises that it is freed once.
        drop(unsafe { Box::from_raw(screens) });
    }
}

/// Begins a new game: see the header.
///
/// # Safety
/// `screens` is null or what [`prism_screens_new`] made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_screens_reset(screens: *mut Screens) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        unsafe { unique(screens)? }.reset();
        Ok(())
    })
}

/// Takes a screen: see the header.
///
/// # Safety
/// `screens` is null or what [`prism_screens_new`] made, `screen` is null or leads to `length` bytes, `observation` is null or
/// leads to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prism_screens_show(
    screens: *mut Screens,
    screen: *const u8,
    length: usize,
    observation: *mut *const u8,
) -> Status {
    guarded(|| {
        // SAFETY: as the caller promises.
        let (screens, screen, observation) =
            unsafe { (unique(screens)?, values(screen, length)?, unique(observation)?) };
        let shown = screens.show(screen).map_err(|_| Status::Length)?;
        *observation = shown.map_or(ptr::null(), <[u8]>::as_ptr);
        Ok(())
    })
}

/// What a status means: see the header.
#[unsafe(no_mangle)]
pub extern "C" fn prism_status_message(status: c_int) -> *const c_char {
    let message: &CStr = match status {
        0 => c"all is well",
        1 => c"a pointer is null",
        2 => c"observations or a screen have another length than expected",
        3 => c"the place for the answer has another length than the answer",
        4 => c"the policy takes other observations, or has no such answer",
        5 => c"epsilon is not a probability: expected 0 to 1",
        6 => c"this is a bug in prism, please report it",
        _ => c"there is no such status",
    };
    message.as_ptr()
}
