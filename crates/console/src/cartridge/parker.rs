//! Parker Brothers' cartridges: eight parts of 1 KiB, of which the last is always in the last of four windows.

use super::Cartridge;

impl Cartridge {
    /// 0xFE0 to 0xFE7 choose the part in the first window, the next eight addresses that in the second, the next eight that
    /// in the third.
    pub(super) fn switch_window(&mut self, offset: u16) {
        if (0xFE0..0xFF8).contains(&offset) {
            let which = usize::from(offset - 0xFE0);
            self.set_window(which / 8, which % 8);
        }
    }
}
