//! A WebSocket of hand-made frames: it looks for the end of a message and at as little of it as it can.

use base64::Engine as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The message that was taken last, still at the front of the buffer.
    taken: usize,
}

impl Socket {
    /// Opens it, introduces itself and subscribes. Messages of the subscription follow.
    pub async fn subscribe(address: &str, token: &str, payload: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).unwrap();
        let key = base64::engine::general_purpose::STANDARD.encode([7; 16]);
        let hello = format!(
            "GET /graphql HTTP/1.1\r\nhost: load\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\nsec-websocket-key: {key}\r\n\r\n"
        );
        stream.write_all(hello.as_bytes()).await.unwrap();
        let mut head = Vec::with_capacity(512);
        while !head.ends_with(b"\r\n\r\n") {
            assert!(
                stream.read_buf(&mut head).await.expect("the server answers") > 0,
                "an answer"
            );
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut socket = Self {
            stream,
            buffer: Vec::new(),
            taken: 0,
        };
        socket
            .send(
                0x1,
                format!(r#"{{"type":"connection_init","payload":{{"Authorization":"Bearer {token}"}}}}"#).as_bytes(),
            )
            .await;
        let answer = socket.next().await;
        assert!(
            answer.starts_with(br#"{"type":"connection_ack""#),
            "{}",
            String::from_utf8_lossy(answer)
        );
        socket
            .send(
                0x1,
                format!(r#"{{"id":"1","type":"subscribe","payload":{payload}}}"#).as_bytes(),
            )
            .await;
        socket
    }

    /// The next message, pings answered.
    pub async fn next(&mut self) -> &[u8] {
        loop {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            let (kind, from, until) = loop {
                if let Some(found) = frame(&self.buffer) {
                    break found;
                }
                if self.buffer.is_empty() {
                    // Thousands of idle sockets need no room.
                    self.buffer = Vec::new();
                    self.stream.readable().await.expect("the server stays");
                    self.buffer.reserve(1024);
                }
                assert!(
                    self.stream.read_buf(&mut self.buffer).await.expect("the server stays") > 0,
                    "it stays open"
                );
            };
            self.taken = until;
            match kind {
                0x1 => return &self.buffer[from..until],
                0x9 => self.send(0xa, b"").await,
                other => panic!("a frame of kind {other}"),
            }
        }
    }

    async fn send(&mut self, kind: u8, payload: &[u8]) {
        // Masked, as the rules want it, with a mask that changes nothing.
        let mut frame = vec![0x80 | kind];
        if let Ok(length @ 0..0x7e) = u8::try_from(payload.len()) {
            frame.push(0x80 | length);
        } else {
            frame.push(0x80 | 0x7e);
            frame.extend(u16::try_from(payload.len()).expect("a short message").to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).await.expect("the server reads");
    }
}

/// The first whole frame: its kind, where its payload begins, and where it ends.
fn frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (from, length) = match second {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => panic!("a very long message"),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= from + length).then_some((first & 0xf, from, from + length))
}
