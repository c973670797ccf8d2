//! A client of `graphql-transport-ws` on a socket whose buffer is as small as wanted.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::support::Server;

pub struct Socket(WebSocketStream<TcpStream>);

/// What came last on a socket.
#[derive(Debug)]
pub enum Came {
    Next(Value),
    Closed(Option<u16>),
}

impl Socket {
    /// Opens one, gets it acknowledged and subscribes.
    pub async fn subscribe(server: &Server, token: &str, query: &str, variables: Value) -> Self {
        Self::subscribe_with_buffer(server, token, query, variables, None).await
    }

    pub async fn subscribe_with_buffer(
        server: &Server,
        token: &str,
        query: &str,
        variables: Value,
        buffer: Option<u32>,
    ) -> Self {
        let address = server.running().address;
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let stream = socket.connect(address).await.expect("a connection");
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (socket, _) = client_async(request, stream).await.expect("a socket");
        let mut client = Self(socket);
        client
            .send(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }))
            .await;
        let acknowledged = client.message().await.expect("an answer");
        assert_eq!(acknowledged["type"], "connection_ack", "{acknowledged}");
        let payload = json!({ "query": query, "variables": variables });
        client
            .send(json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await;
        client
    }

    async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .expect("it is sent");
    }

    /// The next message of the protocol; the close code when it was closed.
    async fn message(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match tokio::time::timeout(Duration::from_secs(30), self.0.next())
                .await
                .expect("something comes")
            {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    pub async fn came(&mut self) -> Came {
        loop {
            match self.message().await {
                Ok(message) if message["type"] == "next" => {
                    assert!(message["payload"]["errors"].is_null(), "{message}");
                    return Came::Next(message["payload"]["data"].clone());
                }
                Ok(message) if message["type"] == "ping" => self.send(json!({ "type": "pong" })).await,
                Ok(message) => panic!("{message}"),
                Err(code) => return Came::Closed(code),
            }
        }
    }

    /// The first error of a subscription that is refused.
    pub async fn refused(&mut self) -> Value {
        let message = self.message().await.expect("an answer");
        let errors = if message["type"] == "error" {
            &message["payload"]
        } else {
            &message["payload"]["errors"]
        };
        assert!(errors[0].is_object(), "{message}");
        errors[0].clone()
    }

    /// The next item of the subscription.
    pub async fn next(&mut self) -> Value {
        match self.came().await {
            Came::Next(data) => data,
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }

    /// Nothing comes before something that is known to come later: the next item is that.
    pub async fn next_event(&mut self) -> Value {
        self.next().await["bookingEvents"].clone()
    }
}
