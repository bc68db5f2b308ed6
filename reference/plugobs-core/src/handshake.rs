//! The handshake line: one JSON object on a plugin's standard output.

use crate::error::Rejection;
use crate::registry::RejectionCode;

/// Where a plugin listens, and the key that it wants to see on each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// 1 to 65535, on loopback.
    pub port: u16,
    /// Sent verbatim as the `authorization` metadata of every call.
    pub server_key: String,
}

impl Handshake {
    /// Reads one line.
    ///
    /// # Errors
    /// `invalid_json` where it is not one JSON object; `invalid_handshake`
    /// where it lacks a usable `port` or `serverKey`. Either way the line is
    /// stray output: a driver keeps it and reads on.
    pub fn parse(line: &str) -> Result<Self, Rejection> {
        let value: serde_json::Value = serde_json::from_str(line.trim())
            .map_err(|error| Rejection::new(RejectionCode::InvalidJson, "$", error.to_string()))?;
        let object = value.as_object().ok_or_else(|| {
            Rejection::new(
                RejectionCode::InvalidJson,
                "$",
                "the line is not a JSON object",
            )
        })?;
        let refuse = |field: &str, detail: &str| {
            Rejection::new(RejectionCode::InvalidHandshake, field, detail)
        };
        let port = object
            .get("port")
            .and_then(serde_json::Value::as_u64)
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| *port > 0)
            .ok_or_else(|| refuse("port", "a number from 1 to 65535 is expected"))?;
        let server_key = object
            .get("serverKey")
            .and_then(serde_json::Value::as_str)
            .ok_or_else(|| refuse("serverKey", "a text is expected"))?;
        Ok(Self {
            port,
            server_key: server_key.to_owned(),
        })
    }

    /// The line as a plugin prints it, without the line feed.
    pub fn to_line(&self) -> String {
        serde_json::json!({"port": self.port, "serverKey": self.server_key}).to_string()
    }
}
