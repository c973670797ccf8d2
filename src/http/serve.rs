//! Listens for connections, and ends in two steps: finish, then cut off.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::Request};
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use prometheus_client::metrics::counter::Counter;
use tokio::net::{TcpListener, TcpStream};

use super::{
    admission::Admission,
    api::Api,
    client::Connections,
    lifeline::{Lifecycle, Lifeline, Phase},
    patient::Patient,
    router::router,
    settings::Settings,
    transport::{Peer, Transport},
    wire::{self, Fault},
};

/// How long to wait before accepting again when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Seconds after which an address with too many connections may try again.
const RETRY_AFTER: u64 = 10;

/// Serves `api` to whoever connects to `listener`, until `shutdown` completes.
///
/// Then it stops accepting, closes every WebSocket with 1001, and lets requests in flight and
/// mutations whose callers hung up finish, for at most [`Settings::grace`]; what is left after
/// that is cut off. Returns once nothing of the server runs any more, or the grace is over.
pub async fn serve<A: Api>(
    listener: TcpListener,
    api: A,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let settings = Arc::new(settings);
    let lifecycle = Lifecycle::new();
    let server = Arc::new(Server::new(&settings));
    let router = router(Transport {
        api,
        admission: Arc::new(Admission::new(&settings)),
        settings: Arc::clone(&settings),
        lifeline: lifecycle.lifeline(),
    });

    let connections = Connections::counted(settings.metrics.connections.clone());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let address = peer.ip().to_canonical();
                let trusted = settings.trusted_proxies.iter().any(|net| net.contains(&address));
                let most = if trusted {
                    usize::MAX
                } else {
                    settings.connections_per_address
                };
                let Some(open) = connections.open(address, most, settings.connections) else {
                    settings.metrics.connections_refused.inc();
                    // There is room for so little in a connection that was just made.
                    let _ = stream.try_write(&server.too_many);
                    continue;
                };
                let server = Arc::clone(&server);
                let router = router.clone();
                let peer = Peer {
                    address: peer,
                    open: Arc::new(open),
                };
                let conversation = server.converse(stream, peer, router, lifecycle.lifeline());
                tokio::spawn(conversation);
            }
            Err(error) if is_the_peers_fault(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    () = &mut shutdown => break,
                }
            }
        }
    }

    // The port is free for a successor, and our own copy of the routes holds nobody up.
    drop(listener);
    drop(router);
    lifecycle.announce(Phase::Draining);
    if tokio::time::timeout(settings.grace, lifecycle.deserted())
        .await
        .is_err()
    {
        tracing::warn!("the grace is over: cutting off what still runs");
        lifecycle.announce(Phase::Cut);
    }
    Ok(())
}

/// What all connections share.
struct Server {
    http: auto::Builder<TokioExecutor>,
    /// What an address hears that has too many connections already.
    too_many: Vec<u8>,
    header_timeout: Duration,
    write_timeout: Duration,
    stalled: Counter,
}

impl Server {
    fn new(settings: &Settings) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.header_timeout);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(settings.keep_alive)
            .keep_alive_timeout(settings.keep_alive);
        let body = wire::fault_response(&Fault {
            retry_after: Some(RETRY_AFTER),
            ..Fault::plain("TOO_MANY_CONNECTIONS", "too many connections are open")
        });
        let head = format!(
            "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json; charset=utf-8\r\n\
             retry-after: {RETRY_AFTER}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self {
            http,
            too_many: [head.as_bytes(), &body].concat(),
            header_timeout: settings.header_timeout,
            write_timeout: settings.write_timeout,
            stalled: settings.metrics.connections_stalled.clone(),
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: Peer, router: Router, mut lifeline: Lifeline) {
        let stream = match Patient::new(stream, self.write_timeout, &self.stalled) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "the connection was gone before it was used");
                return;
            }
        };
        let asked = Arc::new(AtomicBool::new(false));
        let answers = TowerToHyperService::new(router);
        let service = service_fn({
            let asked = Arc::clone(&asked);
            move |mut request: Request<Incoming>| {
                asked.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(peer.clone());
                answers.call(request)
            }
        });
        let connection = self.http.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        // While the protocol's version isn't clear yet, hyper's own timeout doesn't run.
        let mut first_request = pin!(tokio::time::sleep(self.header_timeout));
        let mut waiting = true;
        let mut awaited = Phase::Draining;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended with an error");
                    }
                    return;
                }
                () = &mut first_request, if waiting => {
                    if !asked.load(Ordering::Relaxed) {
                        return;
                    }
                    waiting = false;
                }
                () = lifeline.reached(awaited) => {
                    if awaited == Phase::Cut {
                        return;
                    }
                    awaited = Phase::Cut;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// A client that gave up while it was waiting to be accepted.
fn is_the_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionRefused | Kind::ConnectionReset
    )
}
