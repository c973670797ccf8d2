//! A connection that speaks just enough HTTP: prepared bytes out, the body back. The client must not be what is
//! measured.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub struct Http {
    stream: TcpStream,
    buffer: Vec<u8>,
    request: Vec<u8>,
}

impl Http {
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
            request: Vec::with_capacity(2048),
        }
    }

    /// Posts a GraphQL request and gives back the answer's body.
    pub async fn post(&mut self, token: &str, body: &str) -> &[u8] {
        use std::io::Write as _;
        self.request.clear();
        write!(
            self.request,
            "POST /graphql HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        self.stream.write_all(&self.request).await.expect("the server reads");
        self.buffer.clear();
        let (head, length) = loop {
            assert!(
                self.stream.read_buf(&mut self.buffer).await.expect("the server writes") > 0,
                "an answer"
            );
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break (end + 4, content_length(&self.buffer[..end]));
            }
        };
        while self.buffer.len() < head + length {
            assert!(
                self.stream.read_buf(&mut self.buffer).await.expect("the server writes") > 0,
                "an answer"
            );
        }
        &self.buffer[head..head + length]
    }
}

pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("a head of text");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let line = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")
            .map(str::to_owned)
    });
    line.and_then(|length| length.trim().parse().ok()).expect("a length")
}
