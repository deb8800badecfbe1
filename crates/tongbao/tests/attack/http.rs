//! A client that sends whatever it is given.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer takes longer, unless the server waits for a deadline of its own.
const PATIENCE: Duration = Duration::from_mins(1);

/// A kept connection; made anew when the server has closed it.
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// All that was answered.
    pub(crate) heard: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The problem's code.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.split("\r\n");
        lines
            .filter_map(|line| line.split_once(": "))
            .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            heard: Vec::new(),
        }
    }

    /// Method, target and headers as they stand; the length is put in.
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut bytes = format!("{method} {target} HTTP/1.1\r\nhost: gateway\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        self.exchange(&bytes)
    }

    /// Any bytes; the answer must come.
    pub(crate) fn exchange(&mut self, bytes: &[u8]) -> Answer {
        if let Some(answer) = self
            .stream
            .take()
            .and_then(|stream| self.try_on(stream, bytes))
        {
            return answer;
        }
        let stream = connect(self.address);
        self.try_on(stream, bytes).expect("an answer")
    }

    fn try_on(&mut self, mut stream: TcpStream, bytes: &[u8]) -> Option<Answer> {
        // The server may answer, and hang up, before it has read everything.
        let sent = stream.write_all(bytes).is_ok();
        let answer = read(&mut stream)?;
        self.heard.extend_from_slice(answer.head.as_bytes());
        self.heard.extend_from_slice(&answer.body);
        let closes = answer.header("connection") == Some("close");
        if sent && !closes {
            self.stream = Some(stream);
        }
        Some(answer)
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One answer with a length, or with pieces; `None` when the connection ends
/// before it has.
pub(crate) fn read(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes)?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        head,
        body: bytes[end + 4..].to_vec(),
    };
    match answer
        .header("content-length")
        .map(|length| length.parse().unwrap())
    {
        Some(length) => {
            while answer.body.len() < length {
                more(stream, &mut answer.body)?;
            }
        }
        None if status == 204 || status == 304 => {}
        None => {
            while !answer.body.ends_with(b"0\r\n\r\n") && more(stream, &mut answer.body).is_some() {
            }
        }
    }
    Some(answer)
}

/// One request with its body; `None` when the connection ends.
pub(crate) fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        more(stream, &mut bytes)?;
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        while bytes.len() < end + 4 + length {
            more(stream, &mut bytes)?;
        }
        return Some(bytes);
    }
}

pub(crate) fn say(stream: &mut TcpStream, bytes: &[u8]) {
    // Whoever has gone away hears nothing.
    let _ = stream.write_all(bytes);
}

/// What comes next; `None` when nothing does.
pub(crate) fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    match stream.read(&mut piece) {
        Ok(0) | Err(_) => None,
        Ok(length) => {
            bytes.extend_from_slice(&piece[..length]);
            Some(())
        }
    }
}
