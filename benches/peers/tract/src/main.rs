//! How long tract takes to load an ONNX model and to answer: `tract-answers MODEL.onnx`, a policy of 4x84x84 bytes.

use std::time::{Duration, Instant};

use tract_onnx::prelude::*;

fn main() -> TractResult<()> {
    let path = std::env::args_os().nth(1).expect("give a model");
    let milliseconds = |time: Duration| 1e3 * time.as_secs_f64();
    for batch in [1, 8, 32] {
        let start = Instant::now();
        let model = tract_onnx::onnx()
            .model_for_path(&path)?
            .with_input_fact(0, InferenceFact::dt_shape(u8::datum_type(), tvec!(batch, 4, 84, 84)))?
            .into_optimized()?
            .into_runnable()?;
        let bytes: Vec<u8> = (0..batch * 28_224).map(|index| (index * index % 251) as u8).collect();
        let observations: Tensor = tract_ndarray::Array4::from_shape_vec((batch, 4, 84, 84), bytes)?.into();
        model.run(tvec!(observations.clone().into()))?;
        if batch == 1 {
            println!("first {:.3}", milliseconds(start.elapsed()));
        }
        let mut times = Vec::new();
        for _ in 0..101 {
            let start = Instant::now();
            model.run(tvec!(observations.clone().into()))?;
            times.push(milliseconds(start.elapsed()));
        }
        times.sort_by(f64::total_cmp);
        println!("{batch} {:.4}", times[50]);
    }
    Ok(())
}
