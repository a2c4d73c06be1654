//! Frames: a message's length as four bytes, little end first, then the message
//! in postcard's encoding.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// A longer frame is refused unread: its length is garbage or its sender is.
/// Room for the text of the largest file that the settings allow, 128 MiB, should
/// decoding it make it half as long again, with its offsets.
pub const MAX_FRAME_BYTES: usize = 256 << 20;

/// Read in steps of this many bytes, so that a garbage length takes no memory
/// that its sender does not fill.
const STEP_BYTES: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {bytes} bytes is over the cap of {MAX_FRAME_BYTES}")]
    TooLong { bytes: usize },
    #[error("the stream ended inside a frame")]
    Cut,
    #[error("a frame holds no message of this protocol: {0}")]
    Malformed(#[from] postcard::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The message as one frame, length included.
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4])?;
    let bytes = frame.len() - 4;
    if bytes > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong { bytes });
    }
    // The cap is below u32::MAX.
    frame[..4].copy_from_slice(&(bytes as u32).to_le_bytes());
    Ok(frame)
}

/// The message in a frame's body, the length taken off. Bytes left over are an error.
pub fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<M, FrameError> {
    let (message, rest) = postcard::take_from_bytes(body)?;
    if rest.is_empty() { Ok(message) } else { Err(postcard::Error::DeserializeBadEncoding.into()) }
}

/// Writes one message and flushes it.
pub fn write_frame<M: Serialize>(writer: &mut impl Write, message: &M) -> Result<(), FrameError> {
    writer.write_all(&encode(message)?)?;
    Ok(writer.flush()?)
}

/// The next message; `None` when the stream ends between two frames.
pub fn read_frame<M: DeserializeOwned>(reader: &mut impl Read) -> Result<Option<M>, FrameError> {
    let mut length = [0; 4];
    match fill(reader, &mut length)? {
        0 => return Ok(None),
        4 => {}
        _ => return Err(FrameError::Cut),
    }
    let bytes = u32::from_le_bytes(length) as usize;
    if bytes > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong { bytes });
    }
    let mut body = Vec::new();
    while body.len() < bytes {
        let start = body.len();
        body.resize(bytes.min(start + STEP_BYTES), 0);
        if fill(reader, &mut body[start..])? < body.len() - start {
            return Err(FrameError::Cut);
        }
    }
    decode(&body).map(Some)
}

/// Fills the buffer as far as the stream goes; returns how far that was.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EmbedRequest, Reply, Request};

    fn request(token_ids: Vec<Vec<u32>>) -> Request {
        let model = "1a6a".to_owned();
        Request::Embed(EmbedRequest {
            lease: 7,
            model,
            urgent: true,
            tokens_per_call: 256,
            token_ids,
        })
    }

    #[test]
    fn a_stream_that_ends_between_frames_has_ended() {
        assert!(matches!(read_frame::<Request>(&mut io::empty()), Ok(None)));
    }

    #[test]
    fn a_garbage_length_is_refused_without_taking_memory() {
        let garbage = [0xff; 64];
        assert!(matches!(
            read_frame::<Reply>(&mut garbage.as_slice()),
            Err(FrameError::TooLong { bytes: 0xffff_ffff })
        ));
        let long_but_empty = (MAX_FRAME_BYTES as u32).to_le_bytes();
        assert!(matches!(
            read_frame::<Reply>(&mut long_but_empty.as_slice()),
            Err(FrameError::Cut)
        ));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..40), 0..20)) {
            let mut stream = Vec::new();
            write_frame(&mut stream, &request(rows.clone())).unwrap();
            write_frame(&mut stream, &request(Vec::new())).unwrap();
            let mut reader = stream.as_slice();
            prop_assert_eq!(read_frame::<Request>(&mut reader).unwrap(), Some(request(rows)));
            prop_assert_eq!(read_frame::<Request>(&mut reader).unwrap(), Some(request(Vec::new())));
            prop_assert_eq!(read_frame::<Request>(&mut reader).unwrap(), None);
        }

        #[test]
        fn half_a_frame_is_an_error(cut in 1usize..20) {
            let frame = encode(&request(vec![vec![1, 2, 3], vec![4]])).unwrap();
            let cut = cut.min(frame.len() - 1);
            prop_assert!(read_frame::<Request>(&mut &frame[..cut]).is_err());
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_frame::<Reply>(&mut bytes.as_slice());
            let _ = decode::<Request>(&bytes);
        }
    }
}
