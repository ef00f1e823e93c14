//! Writes what the native build answers, for the web page's test to compare with:
//!
//! ```text
//! cargo run --release -p lanterns-web --example page_answers -- 10000 answers.bin
//! ```

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().ok_or("give the number of answers")?.parse()?;
    let file = arguments.next().ok_or("give a file to write")?;
    let answers = lanterns_web::answer(lanterns::SHIPPED, count);
    let bytes: Vec<u8> = answers.iter().flat_map(|answer| answer.to_le_bytes()).collect();
    std::fs::write(file, bytes)?;
    Ok(())
}
