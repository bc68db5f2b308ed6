//! A wire between the plugin and the driver that a test can cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) struct Wire {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Connections are taken, and closed at once.
    is_down: bool,
    connections: JoinSet<()>,
    taken: usize,
}

impl Wire {
    pub(crate) async fn to(far_end: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let of_task = state.clone();
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let mut state = of_task.lock().unwrap();
                state.taken += 1;
                if !state.is_down {
                    state.connections.spawn(join(near, far_end));
                }
            }
        });
        Self { address, state }
    }

    /// Where the plugin finds it.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Breaks every connection; new ones work, unless [`Self::go_down`] was
    /// called.
    pub(crate) fn cut(&self) {
        self.state.lock().unwrap().connections = JoinSet::new();
    }

    /// Breaks every connection, and each new one until [`Self::go_up`].
    pub(crate) fn go_down(&self) {
        self.state.lock().unwrap().is_down = true;
        self.cut();
    }

    pub(crate) fn go_up(&self) {
        self.state.lock().unwrap().is_down = false;
    }

    /// How many connections were made.
    pub(crate) fn taken(&self) -> usize {
        self.state.lock().unwrap().taken
    }
}

async fn join(mut near: TcpStream, far_end: SocketAddr) {
    let mut far = TcpStream::connect(far_end).await.unwrap();
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    // Either side may break it.
    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}
