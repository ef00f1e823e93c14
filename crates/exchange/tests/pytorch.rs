//! Imported weights against PyTorch's own answers. `benches/peers/policies_pytorch.py` wrote the files in `pytorch/` with
//! PyTorch 2.15.0.

use std::fs;
use std::io::{Cursor, Write};
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
    assert!(
        refusal(&file("numbered.pth"), &dueling)
            .contains("the last hidden layer of the value stream, of shape [11, 120], is")
    );
    assert!(refusal(&file("rainbow.pth"), &network).contains("would be advantage_head.2.weight_mu, of shape [15, 11]"));
    assert!(refusal(&file("module.pth"), &network).contains("an object of the class __main__.Named"));
    assert!(refusal(b"nothing of the kind", &network).contains("expected what torch.save writes"));
    assert!(matches!(from_pytorch(&file("numbered.pth")[..9000], &network), Err(ImportError::Corrupt { .. })));
}

/// A zip file as torch.save writes it, with this pickle and this storage `0`.
fn saved(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in [("data.pkl", pickle), ("data/0", storage)] {
        archive.start_file(format!("model/{name}"), options).expect("a new file");
        archive.write_all(bytes).expect("it is taken");
    }
    archive.finish().expect("a whole archive").into_inner()
}

#[test]
fn files_that_would_take_all_memory_or_the_whole_stack_are_refused() {
    const MANY: usize = 200_000;
    let network = answers("numbered.pth")["network"].to_string();
    let refusal = |pickle: &[u8], storage: &[u8]| {
        from_pytorch(&saved(pickle, storage), &network).expect_err("it must be refused").to_string()
    };
    let tuples = [b")".to_vec(), vec![0x85; MANY], b".".to_vec()].concat();
    let dicts = [b"}U\x01a".repeat(MANY), b"}".to_vec(), b"s".repeat(MANY), b".".to_vec()].concat();
    // Each tuple holds the one before twice.
    let doubled = [b")q\x00".to_vec(), b"h\x00h\x00\x86q\x00".repeat(MANY), b".".to_vec()].concat();
    for pickle in [tuples, dicts, doubled] {
        let message = refusal(&pickle, &[]);
        assert!(message.contains("more than 100 containers in one another"), "{message}");
    }
    // 96 MB in 93 KB.
    let zeros = vec![0; 96_000_000];
    let tensor = b"}U\x01actorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x01tQK\x00K\x01\x85K\x01\x85\x89}tRs.";
    let message = refusal(tensor, &zeros);
    assert!(message.contains("unpacks to many times its size"), "{message}");
    // The same tensor of fewer bytes is one that the network does not have.
    let message = refusal(tensor, &[0; 4]);
    assert!(message.contains("would be a, of shape [1]"), "{message}");
}

#[test]
fn files_of_other_kinds_are_called_what_they_are() {
    let network = answers("numbered.pth")["network"].to_string();
    let refusal = |bytes: &[u8]| from_pytorch(bytes, &network).expect_err("it must be refused").to_string();
    let policy = from_pytorch(&file("numbered.pth"), &network).expect("it can be imported");
    let model = prism_exchange::to_onnx(&policy).expect("an ONNX model");
    let empty = zip::ZipWriter::new(Cursor::new(Vec::new())).finish().expect("a whole archive").into_inner();
    for (bytes, part) in [
        (&b"score,1\n"[..], "this is a text: expected what torch.save writes"),
        (b"", "this is an empty file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x80\x02\x8a\nl\xfc", "PyTorch before 1.6"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (&model, "an ONNX model"),
        (&policy, "a policy of prism already"),
        (&empty, "a zip file without weights"),
        (b"\xff\xfe\xfd", "another format"),
    ] {
        let message = refusal(bytes);
        assert!(message.contains(part), "{part}: {message}");
    }
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
