//! Policy files: what they hold, which are refused, and those of other versions.

mod support;

use prism_agent::{Card, FrameSpec, Policy, to_f32, to_int8};

/// Weights that prism 0.1.0 saved.
const OLD: &[u8] = include_bytes!("policies/catch-0.1.0.safetensors");

/// A board of Catch with ball and paddle in these columns.
fn board(row: usize, ball: usize, paddle: usize) -> Vec<u8> {
    let mut board = vec![0; 50];
    board[row * 5 + ball] = 255;
    board[45 + paddle] = 255;
    board
}

#[test]
fn a_file_of_an_older_version_still_plays() {
    let mut policy = Policy::from_bytes(OLD).expect("a policy");
    assert_eq!(policy.card(), None);
    assert_eq!((policy.actions(), policy.observation_bytes()), (3, 50));
    // The ball is above the last row: the paddle must be under it after one step.
    let actions: Vec<usize> = [1, 2, 3].map(|ball| policy.act(&board(8, ball, 2), 0.0)[0]).to_vec();
    assert_eq!(actions, [0, 1, 2]);
    assert!(policy.metadata("prism.config").expect("a configuration").contains("catch"));
}

#[test]
fn a_card_says_what_a_policy_was_trained_for() {
    let frames = r#"{"height":84,"width":84,"colour":"grey","stack":4,"skip":4,"pool":2}"#;
    let text = format!(
        r#"{{"version":1,"environment":"pong","protocol":"cleanrl","actions":["NOOP","FIRE","UP","DOWN","A","B"],
        "frames":{frames},"scores":{{"games":30,"mean":19.5,"standard_deviation":1.0,"epsilon":0.05}}}}"#
    );
    let policy = Policy::from_bytes(&support::nature().file(&[(Card::KEY, &text)])).expect("a policy");
    let card = policy.card().expect("a card");
    assert_eq!((card.environment.as_str(), card.protocol.as_str()), ("pong", "cleanrl"));
    assert_eq!(card.actions[1], "FIRE");
    assert_eq!(card.frames.map(|FrameSpec { height, skip, pool, .. }| (height, skip, pool)), Some((84, 4, 2)));
    assert_eq!(card.scores.map(|scores| scores.mean), Some(19.5));
    for (from, to, part) in [
        (r#""version":1"#, r#""version":2"#, "format version 2, and this version of prism reads up to 1"),
        (r#""version":1"#, r#""version":-1"#, "prism.policy"),
        (r#","B""#, "", "names 5 actions"),
        (r#""stack":4"#, r#""stack":3"#, "not [3, 84, 84]"),
        (r#""pool":2"#, r#""pool":5"#, "pool from 1 to skip"),
        (r#""protocol":"cleanrl","#, "", "prism.policy"),
    ] {
        assert!(text.contains(from), "{from} is not in the card");
        let error = Policy::from_bytes(&support::nature().file(&[(Card::KEY, &text.replace(from, to))]));
        let message = error.expect_err("it must be refused").to_string();
        assert!(message.contains(part), "{from} {to}: {message}");
    }
}

#[test]
fn a_newer_file_is_refused_as_such_whatever_else_it_holds() {
    let mut network = support::vectors();
    network.description = r#"{"kind":"of another century"}"#.to_owned();
    let error = Policy::from_bytes(&network.file(&[(Card::KEY, r#"{"version":9,"all":"new"}"#)]));
    let message = error.expect_err("it must be refused").to_string();
    assert!(message.contains("format version 9") && message.contains("use the version of prism that saved it"));
}

#[test]
fn weights_of_a_byte_each_take_a_quarter_and_say_nearly_the_same() {
    for network in [support::nature(), support::impala(), support::vectors()] {
        let file = network.file(&[("some.text", "kept")]);
        let small = to_int8(&file).expect("a policy");
        if file.len() > 1 << 20 {
            assert!(small.len() * 39 < file.len() * 10, "{} of {} bytes", small.len(), file.len());
        }
        let [mut policy, mut other] =
            [&file, &small].map(|file| Policy::from_bytes(file).expect("both are policy files"));
        assert_eq!(other.metadata("some.text"), Some("kept"));
        let observation = vec![60; policy.observation_bytes()];
        let (values, others) = (policy.values(&observation), other.values(&observation));
        let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        for (value, other) in values.iter().zip(others) {
            assert!((value - other).abs() < 0.03 * largest, "{values:?} and {others:?}");
        }
        assert_ne!(values, others);
        let mut wide = Policy::from_bytes(&to_f32(&small).expect("a policy")).expect("it is a policy still");
        assert_eq!(wide.values(&observation), others);
        assert_eq!(wide.metadata("some.text"), Some("kept"));
    }
}

#[test]
fn numbers_and_their_bytes_are_the_same_observation_and_clones_answer_alike() {
    let mut policy = Policy::from_bytes(&support::vectors().file(&[])).expect("a policy");
    let numbers = [0.5f32, -1.0, 0.25, 2.0];
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_ne_bytes).collect();
    let values = policy.values(&numbers).to_vec();
    assert_eq!(values.len(), 6);
    assert_eq!(policy.clone().values(&bytes), values);
    let support = policy.support().expect("atoms").to_vec();
    let probabilities = policy.distributions(&numbers).expect("distributions");
    for (row, value) in probabilities.chunks_exact(support.len()).zip(&values) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let mean: f32 = row.iter().zip(&support).map(|(mass, atom)| mass * atom).sum();
        assert!((mean - value).abs() < 1e-5, "{mean} {value}");
    }
    assert_eq!(policy.quantiles(&numbers), None);
    let (one, other) = values.split_at(3);
    assert_eq!([policy.values(&numbers[..2]).to_vec(), policy.values(&numbers[2..]).to_vec()], [one, other]);
}

#[test]
fn a_policy_can_be_sent_to_and_shared_by_threads() {
    fn needs<T: Send + Sync>() {}
    needs::<Policy>();
}
