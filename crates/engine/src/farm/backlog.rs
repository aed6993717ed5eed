//! Payloads of tasks that wait for a slot: small ones only, one after the other in large chunks, so that a million waiting
//! tasks cost no million allocations.

const CHUNK: usize = 256 * 1024;

/// Where a payload lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    chunk: u32,
    offset: u32,
    len: u32,
}

impl Place {
    pub const NONE: Place = Place { chunk: u32::MAX, offset: 0, len: 0 };
}

#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    live: u32,
}

#[derive(Default)]
pub struct Backlog {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
    current: Option<u32>,
}

impl Backlog {
    pub fn put(&mut self, payload: &[u8]) -> Place {
        let chunk = match self.current {
            Some(at) if self.chunks[at as usize].bytes.len() + payload.len() <= CHUNK => at,
            _ => self.next_chunk(),
        };
        let Chunk { bytes, live } = &mut self.chunks[chunk as usize];
        let offset = bytes.len() as u32;
        bytes.extend_from_slice(payload);
        *live += 1;
        Place { chunk, offset, len: payload.len() as u32 }
    }

    fn next_chunk(&mut self) -> u32 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk::default());
            self.chunks.len() as u32 - 1
        });
        self.chunks[at as usize].bytes = Vec::with_capacity(CHUNK);
        self.current = Some(at);
        at
    }

    pub fn get(&self, place: Place) -> &[u8] {
        if place == Place::NONE {
            return &[];
        }
        let start = place.offset as usize;
        &self.chunks[place.chunk as usize].bytes[start..start + place.len as usize]
    }

    /// The payload is no longer needed here.
    pub fn remove(&mut self, place: Place) {
        if place == Place::NONE {
            return;
        }
        let chunk = &mut self.chunks[place.chunk as usize];
        chunk.live -= 1;
        if chunk.live > 0 {
            return;
        }
        if self.current == Some(place.chunk) {
            chunk.bytes.clear();
        } else {
            chunk.bytes = Vec::new();
            self.free.push(place.chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_and_chunks_are_reused() {
        let mut backlog = Backlog::default();
        for lap in 0..3 {
            let places: Vec<_> = (0..10_000u32).map(|n| backlog.put(&n.to_le_bytes().repeat(20))).collect();
            for (n, place) in places.into_iter().enumerate() {
                assert_eq!(backlog.get(place), (n as u32).to_le_bytes().repeat(20), "lap {lap}");
                backlog.remove(place);
            }
        }
        assert!(backlog.chunks.len() <= 5, "{} chunks", backlog.chunks.len());
    }
}
