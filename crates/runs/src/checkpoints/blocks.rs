//! The form of a checkpoint's files: blocks that are compressed where that pays, each with a checksum.

use std::io::{self, Read, Write};

/// What such a file begins with.
const MAGIC: &[u8; 8] = b"prism-ck";
/// Version of the form and of what is in it.
pub(super) const FORMAT: u32 = 1;
/// Bytes of a block before it is compressed.
const BLOCK: usize = 1 << 20;
/// Bytes before a block: its length as it is stored, its length once it is read, and the checksum of both, of the number of
/// the block and of what is stored.
const HEADER: usize = 12;

/// Why a file of a checkpoint cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockError {
    /// The system refused.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is of another version.
    #[error("it has format {0}, and this program reads format {FORMAT}")]
    Format(u32),
    /// It is not what was written.
    #[error("{0}")]
    Damaged(&'static str),
}

/// Writes blocks. [`finish`](Self::finish) must follow the last byte.
pub(super) struct BlockWriter<W> {
    out: W,
    block: Vec<u8>,
    number: u64,
}

impl<W: Write> BlockWriter<W> {
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        Ok(Self { out, block: Vec::with_capacity(BLOCK), number: 0 })
    }

    /// Writes what is held back, and the end by which a file that was cut short is known.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        self.write_block()?;
        Ok(self.out)
    }

    fn write_block(&mut self) -> io::Result<()> {
        let compressed = lz4_flex::block::compress(&self.block);
        let stored = if compressed.len() < self.block.len() { &compressed } else { &self.block };
        let lengths = [stored.len(), self.block.len()].map(|length| (length as u32).to_le_bytes());
        let checksum = checksum(self.number, lengths, stored);
        self.out.write_all(lengths.as_flattened())?;
        self.out.write_all(&checksum.to_le_bytes())?;
        self.out.write_all(stored)?;
        self.number += 1;
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..length]);
        if self.block.len() == BLOCK {
            self.write_block()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what a [`BlockWriter`] has written.
pub(super) struct BlockReader<R> {
    file: R,
    stored: Vec<u8>,
    block: Vec<u8>,
    /// How much of the block has been read.
    read: usize,
    number: u64,
    ended: bool,
}

impl<R: Read> BlockReader<R> {
    pub(super) fn new(mut file: R) -> Result<Self, BlockError> {
        let mut start = [0; 12];
        read_exactly(&mut file, &mut start)?;
        let (magic, format) = start.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(BlockError::Damaged("it does not begin as a checkpoint does"));
        }
        let format = u32::from_le_bytes(format.try_into().expect("four bytes are left"));
        if format != FORMAT {
            return Err(BlockError::Format(format));
        }
        Ok(Self { file, stored: Vec::new(), block: Vec::new(), read: 0, number: 0, ended: false })
    }

    /// Checks the rest of the file without decompressing it.
    pub(super) fn check(mut self) -> Result<(), BlockError> {
        while !self.ended {
            self.next_stored()?;
        }
        match self.file.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(BlockError::Damaged("it goes on after its end")),
        }
    }

    /// Reads the next block as it is stored, and returns its length once it is decompressed.
    fn next_stored(&mut self) -> Result<usize, BlockError> {
        let mut header = [0; HEADER];
        read_exactly(&mut self.file, &mut header)?;
        let word = |index: usize| [0, 1, 2, 3].map(|byte| header[4 * index + byte]);
        let [stored, length] = [0, 1].map(|index| u32::from_le_bytes(word(index)) as usize);
        if stored > length || length > BLOCK {
            return Err(BlockError::Damaged("a block has an impossible length"));
        }
        self.stored.resize(stored, 0);
        read_exactly(&mut self.file, &mut self.stored)?;
        if checksum(self.number, [word(0), word(1)], &self.stored) != u32::from_le_bytes(word(2)) {
            return Err(BlockError::Damaged("a block differs from its checksum"));
        }
        self.number += 1;
        self.ended = length == 0;
        Ok(length)
    }

    fn next_block(&mut self) -> Result<(), BlockError> {
        let length = self.next_stored()?;
        self.read = 0;
        if self.stored.len() == length {
            std::mem::swap(&mut self.stored, &mut self.block);
            return Ok(());
        }
        self.block.resize(length, 0);
        match lz4_flex::block::decompress_into(&self.stored, &mut self.block) {
            Ok(decompressed) if decompressed == length => Ok(()),
            _ => Err(BlockError::Damaged("a block cannot be decompressed")),
        }
    }
}

impl<R: Read> Read for BlockReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.read == self.block.len() && !self.ended {
            self.next_block().map_err(|error| match error {
                BlockError::Read(error) => error,
                other => io::Error::new(io::ErrorKind::InvalidData, other),
            })?;
        }
        let length = out.len().min(self.block.len() - self.read);
        out[..length].copy_from_slice(&self.block[self.read..][..length]);
        self.read += length;
        Ok(length)
    }
}

fn read_exactly(file: &mut impl Read, out: &mut [u8]) -> Result<(), BlockError> {
    file.read_exact(out).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BlockError::Damaged("it is cut short"),
        _ => BlockError::Read(error),
    })
}

fn checksum(number: u64, lengths: [[u8; 4]; 2], stored: &[u8]) -> u32 {
    let header = crc32c::crc32c_append(crc32c::crc32c(&number.to_le_bytes()), lengths.as_flattened());
    crc32c::crc32c_append(header, stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> Vec<u8> {
        let mut writer = BlockWriter::new(Vec::new()).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn read(file: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        BlockReader::new(file).map_err(io::Error::other)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Bytes that repeat, then bytes that do not.
    fn mixed(length: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut noise = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..length).map(|index| if index < length / 2 { (index % 7) as u8 } else { noise() }).collect()
    }

    #[test]
    fn what_is_written_is_read_whatever_its_length() {
        for length in [0, 1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17] {
            let bytes = mixed(length);
            let file = written(&bytes);
            assert!(read(&file).unwrap() == bytes, "{length}");
            BlockReader::new(&file[..]).unwrap().check().unwrap();
            assert!(file.len() <= 40 + bytes.len() * 51 / 100 + bytes.len() / 2, "{length}: {}", file.len());
        }
    }

    #[test]
    fn no_flipped_bit_and_no_cut_is_missed() {
        let file = written(&mixed(3000));
        let check = |file: &[u8]| BlockReader::new(file).and_then(BlockReader::check);
        for byte in 0..file.len() {
            let mut damaged = file.clone();
            damaged[byte] ^= 1 << (byte % 8);
            assert!(check(&damaged).is_err(), "byte {byte}");
            assert!(matches!(check(&file[..byte]), Err(BlockError::Damaged(_))), "cut at {byte}");
        }
        assert!(matches!(check(&[&file[..], &[0]].concat()), Err(BlockError::Damaged("it goes on after its end"))));
    }

    #[test]
    fn blocks_are_not_exchanged() {
        let file = written(&[vec![1; BLOCK], vec![2; BLOCK]].concat());
        let one = written(&vec![1; BLOCK]).len() - HEADER - 12;
        let (first, second) = (file[12..12 + one].to_vec(), file[12 + one..12 + 2 * one].to_vec());
        let mut exchanged = file.clone();
        exchanged[12..12 + one].copy_from_slice(&second);
        exchanged[12 + one..12 + 2 * one].copy_from_slice(&first);
        assert_ne!(exchanged, file);
        assert!(read(&exchanged).is_err());
    }

    #[test]
    fn another_format_is_named() {
        let mut file = written(b"bytes");
        file[8] = 9;
        let Err(error) = BlockReader::new(&file[..]) else { panic!("it was read") };
        assert_eq!(error.to_string(), "it has format 9, and this program reads format 1");
    }
}
