//! Imported weights against PyTorch's own answers. `benches/peers/policies_pytorch.py` wrote the files in `pytorch/` with
//! PyTorch 2.15.0.

use std::fs;
use std::path::Path;

use prism_agent::{Element, Policy};
use prism_exchange::{ImportError, from_pytorch};
use proptest::prelude::*;

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What PyTorch said of a file.
fn answers(name: &str) -> serde_json::Value {
    serde_json::from_slice(&file(&format!("{name}.json"))).expect("answers")
}

fn numbers(rows: &serde_json::Value) -> Vec<f64> {
    let rows = rows.as_array().expect("rows").iter();
    rows.flat_map(|row| row.as_array().expect("a row").iter().map(|x| x.as_f64().expect("a number"))).collect()
}

const FILES: [&str; 11] = [
    "numbered.pth",
    "distributional.pth",
    "rainbow.pth",
    "named.pth",
    "half.pth",
    "bfloat16.pth",
    "double.pth",
    "nested.pth",
    "extracted.zip",
    "vector.pth",
    "numbered.safetensors",
];

#[test]
fn imported_networks_answer_as_pytorch_does() {
    for name in FILES {
        let answers = answers(name);
        let policy = from_pytorch(&file(name), &answers["network"].to_string());
        let mut policy =
            Policy::from_bytes(&policy.unwrap_or_else(|error| panic!("{name}: {error}"))).expect("a policy");
        let observations = numbers(&answers["observations"]);
        let values = match policy.description().input.element {
            Element::U8 => policy.values(&observations.iter().map(|&x| x as u8).collect::<Vec<u8>>()).to_vec(),
            Element::F32 => policy.values(&observations.iter().map(|&x| x as f32).collect::<Vec<f32>>()).to_vec(),
        };
        let expected = numbers(&answers["q_values"]);
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.into_iter().zip(expected) {
            assert!((f64::from(value) - expected).abs() < 1e-5, "{name}: {value} is not {expected}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_what_is_there_and_what_is_needed() {
    let network = answers("numbered.pth")["network"].to_string();
    let refusal =
        |bytes: &[u8], network: &str| from_pytorch(bytes, network).expect_err("it must be refused").to_string();
    for (from, to, part) in [
        (r#""hidden":[11]"#, r#""hidden":[12]"#, "shape [12, 120], would be network.5.weight, of shape [11, 120]"),
        (r#""hidden":[11]"#, r#""hidden":[11,11]"#, "would be network.7.weight, of shape [3, 11]"),
        (r#""hidden":[11]"#, r#""hidden":[]"#, "would be network.5.weight, of shape [11, 120]"),
        (r#""actions":3"#, r#""actions":4"#, "shape [4, 11], would be network.7.weight, of shape [3, 11]"),
        (r#","hidden""#, r#","nothing""#, "does not know the network"),
        (r#"[2,1,6]"#, r#"[2,0,6]"#, "kernels of 2 do not fit"),
    ] {
        let compact = network.replace(": ", ":").replace(", ", ",");
        assert!(compact.contains(from), "{from} is not in {compact}");
        let message = refusal(&file("numbered.pth"), &compact.replace(from, to));
        assert!(message.contains(part), "{to}: {message}");
    }
    let dueling = answers("rainbow.pth")["network"].to_string();
    assert!(refusal(&file("numbered.pth"), &dueling).contains("head.value.hidden, of shape [11, 120], is missing"));
    assert!(refusal(&file("rainbow.pth"), &network).contains("would be advantage_head.2.weight_mu, of shape [15, 11]"));
    assert!(refusal(&file("module.pth"), &network).contains("an object of the class __main__.Named"));
    assert!(refusal(b"nothing of the kind", &network).contains("expected what torch.save writes"));
    assert!(matches!(from_pytorch(&file("numbered.pth")[..9000], &network), Err(ImportError::Corrupt { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_panics(
        which in 0..FILES.len(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = file(FILES[which]);
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = from_pytorch(&bytes, &answers(FILES[which])["network"].to_string());
    }
}
