//! A client of containerd's Container Runtime Interface (CRI), as a kubelet is one: the calls that make a pod sandbox, run
//! a container in it, wait for its end and remove both. Each returns when containerd has answered.
//!
//! Async stays in here: a runtime on the calling thread, which runs while a call is waited for and at no other time.
//! containerd's events are taken by a task of that runtime. Not here: what of it is timed (`measure`).

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tonic::client::Grpc;
use tonic::codec::ProstCodec;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};

use super::Login;
use crate::clock::Stopwatch;
use messages::{
    AuthConfig, ContainerEventResponse, ContainerStatusResponse, CreateContainerRequest, EXITED, Identifier, ImageSpec,
    ListPodSandboxResponse, Nothing, PullImageRequest, PullImageResponse, RunPodSandboxRequest, STOPPED,
    StopContainerRequest,
};
pub use pod::{Pod, PodContainer};

pub mod log;
mod messages;
mod pod;

/// The containerd namespace in which CRI keeps everything (containerd, `constants.K8sContainerdNamespace`).
pub const NAMESPACE: &str = "k8s.io";

/// How long containerd may take to answer a call that removes something, or to say what there is.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How often a server without events is asked whether a container has ended.
const POLL: Duration = Duration::from_millis(1);

/// A client, and what it has heard.
#[derive(Debug)]
pub struct Cri {
    runtime: Runtime,
    channel: Channel,
    /// What containerd reports, or the status with which it stopped reporting.
    events: UnboundedReceiver<Result<ContainerEventResponse, Status>>,
    /// Whether it reports events. Where it does not, it is asked every millisecond.
    has_events: bool,
}

/// What became of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It has ended, with this status.
    Exited(i32),
    /// It had not ended when the time was up.
    NotYet,
}

impl Cri {
    /// Connects to the socket and begins to listen.
    ///
    /// # Errors
    /// When nobody answers, or not with the Container Runtime Interface.
    pub fn connect(socket: &Path) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("can not start an async runtime")?;
        let path = socket.to_path_buf();
        #[expect(clippy::disallowed_methods, reason = "`containerd` asks containerd")]
        let connector = tower::service_fn(move |_: Uri| {
            let path = path.clone();
            async move { tokio::net::UnixStream::connect(path).await.map(TokioIo::new) }
        });
        // The address is not used: the connector has its own.
        let endpoint = Endpoint::from_static("http://localhost");
        let channel = runtime
            .block_on(endpoint.connect_with_connector(connector))
            .with_context(|| format!("can not reach containerd's CRI at `{}`", socket.display()))?;
        let (sender, events) = unbounded_channel();
        runtime.spawn(listen(channel.clone(), sender));
        let mut cri = Self { runtime, channel, events, has_events: true };
        cri.until_initialised()
            .context("this containerd serves no CRI: is its plugin `io.containerd.grpc.v1.cri` there?")?;
        Ok(cri)
    }

    /// containerd says that it is ready before its CRI has looked for what an earlier one left, and refuses calls until then.
    fn until_initialised(&mut self) -> anyhow::Result<()> {
        let clock = Stopwatch::start();
        loop {
            match self.sandboxes() {
                Ok(_) => return Ok(()),
                Err(error) if clock.elapsed() > ANSWER_LIMIT || !error.to_string().contains("not initialized") => {
                    return Err(error);
                }
                Err(_) => self.runtime.block_on(async { tokio::time::sleep(POLL).await }),
            }
        }
    }

    /// `RunPodSandbox`: the sandbox's identifier.
    ///
    /// # Errors
    /// When it can not be made within the limit.
    pub fn run_pod_sandbox(&mut self, pod: &Pod<'_>, limit: Duration) -> anyhow::Result<String> {
        let request = RunPodSandboxRequest { config: Some(pod.config()), runtime_handler: pod.handler.to_owned() };
        let made: Identifier = self.call("RuntimeService/RunPodSandbox", request, limit)?;
        Ok(made.id)
    }

    /// `CreateContainer`: the container's identifier.
    ///
    /// # Errors
    /// When it can not be made within the limit.
    pub fn create_container(
        &mut self,
        (sandbox, pod): (&str, &Pod<'_>),
        container: &PodContainer<'_>,
        limit: Duration,
    ) -> anyhow::Result<String> {
        let request = CreateContainerRequest {
            pod_sandbox_id: sandbox.to_owned(),
            config: Some(container.config(pod)),
            sandbox_config: Some(pod.config()),
        };
        let made: Identifier = self.call("RuntimeService/CreateContainer", request, limit)?;
        Ok(made.id)
    }

    /// `StartContainer`.
    ///
    /// # Errors
    /// When it can not be started within the limit.
    pub fn start_container(&mut self, container: &str, limit: Duration) -> anyhow::Result<()> {
        self.by_id("StartContainer", container, limit)
    }

    /// Waits for the end of a container: for containerd's event, or where it reports none by asking.
    ///
    /// # Errors
    /// When containerd does not answer any more.
    pub fn wait(&mut self, container: &str, limit: Duration) -> anyhow::Result<Waited> {
        let Self { runtime, events, .. } = self;
        let heard = runtime.block_on(async { tokio::time::timeout(limit, heard(events, container)).await });
        match heard {
            Err(_) if self.has_events => {
                ensure!(
                    self.exit_code(container)?.is_none(),
                    "containerd did not report the end of a container that has ended"
                );
                return Ok(Waited::NotYet);
            }
            Ok(Ok(code)) => return Ok(Waited::Exited(code)),
            Ok(Err(status)) if self.has_events && status.code() != Code::Unimplemented => {
                return Err(anyhow!(text(&status)).context("containerd stopped reporting events"));
            }
            _ => self.has_events = false,
        }
        self.poll(container, limit)
    }

    /// Whether containerd reports the ends of containers; otherwise it is asked for them every millisecond.
    pub fn has_events(&self) -> bool {
        self.has_events
    }

    fn poll(&mut self, container: &str, limit: Duration) -> anyhow::Result<Waited> {
        let clock = Stopwatch::start();
        while clock.elapsed() < limit {
            if let Some(code) = self.exit_code(container)? {
                return Ok(Waited::Exited(code));
            }
            self.runtime.block_on(async { tokio::time::sleep(POLL).await });
        }
        Ok(Waited::NotYet)
    }

    /// `ContainerStatus`: the exit status of a container that has ended.
    fn exit_code(&mut self, container: &str) -> anyhow::Result<Option<i32>> {
        let request = Identifier { id: container.to_owned() };
        let answer: ContainerStatusResponse = self.call("RuntimeService/ContainerStatus", request, ANSWER_LIMIT)?;
        let status = answer.status.context("containerd answered without a status")?;
        Ok((status.state == EXITED).then_some(status.exit_code))
    }

    /// `StopContainer`, without a grace.
    ///
    /// # Errors
    /// When it is not ended.
    pub fn stop_container(&mut self, container: &str) -> anyhow::Result<()> {
        let request = StopContainerRequest { container_id: container.to_owned(), timeout: 0 };
        self.call("RuntimeService/StopContainer", request, ANSWER_LIMIT).map(|_: Nothing| ())
    }

    /// `RemoveContainer`.
    ///
    /// # Errors
    /// When it is not removed.
    pub fn remove_container(&mut self, container: &str) -> anyhow::Result<()> {
        self.by_id("RemoveContainer", container, ANSWER_LIMIT)
    }

    /// `StopPodSandbox`: ends what runs in it.
    ///
    /// # Errors
    /// When it is not ended.
    pub fn stop_pod_sandbox(&mut self, sandbox: &str) -> anyhow::Result<()> {
        self.by_id("StopPodSandbox", sandbox, ANSWER_LIMIT)
    }

    /// `RemovePodSandbox`: with the containers in it.
    ///
    /// # Errors
    /// When it is not removed.
    pub fn remove_pod_sandbox(&mut self, sandbox: &str) -> anyhow::Result<()> {
        self.by_id("RemovePodSandbox", sandbox, ANSWER_LIMIT)
    }

    /// The sandboxes that there are.
    ///
    /// # Errors
    /// When containerd does not say.
    pub fn sandboxes(&mut self) -> anyhow::Result<Vec<String>> {
        let list: ListPodSandboxResponse = self.call("RuntimeService/ListPodSandbox", Nothing {}, ANSWER_LIMIT)?;
        Ok(list.items.into_iter().map(|item| item.id).collect())
    }

    /// Removes every sandbox, with what runs in it. This containerd is ours: there are no others.
    ///
    /// # Errors
    /// When one stays.
    pub fn remove_all(&mut self) -> anyhow::Result<()> {
        for sandbox in self.sandboxes()? {
            self.stop_pod_sandbox(&sandbox)?;
            self.remove_pod_sandbox(&sandbox)?;
        }
        match &self.sandboxes()?[..] {
            [] => Ok(()),
            [left, ..] => bail!("the pod sandbox `{left}` could not be removed"),
        }
    }

    /// `PullImage`: into the namespace of CRI, which has images of its own.
    ///
    /// # Errors
    /// When the registry can not be reached, refuses, or has not sent everything within the limit.
    pub fn pull(&mut self, reference: &str, login: Option<Login<'_>>, limit: Duration) -> anyhow::Result<()> {
        let auth = login
            .map(|login| AuthConfig { username: login.user.to_owned(), password: login.password.expose().to_owned() });
        let request = PullImageRequest { image: Some(image(reference)), auth };
        let pulled: PullImageResponse = self
            .call("ImageService/PullImage", request, limit)
            .with_context(|| format!("containerd's CRI can not pull `{reference}`"))?;
        ensure!(!pulled.image_ref.is_empty(), "containerd's CRI pulled `{reference}` and has no name for it");
        Ok(())
    }

    /// A call that names one thing and returns nothing that is read.
    fn by_id(&mut self, method: &str, id: &str, limit: Duration) -> anyhow::Result<()> {
        self.call(&format!("RuntimeService/{method}"), Identifier { id: id.to_owned() }, limit).map(|_: Nothing| ())
    }

    fn call<Q, A>(&mut self, method: &str, request: Q, limit: Duration) -> anyhow::Result<A>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = Grpc::new(self.channel.clone());
        let path = path(method)?;
        let call = async {
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            grpc.unary(tonic::Request::new(request), path, ProstCodec::default()).await
        };
        // A time limit is made within the runtime that keeps the time.
        let answer = self.runtime.block_on(async { tokio::time::timeout(limit, call).await });
        match answer {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => bail!("`{method}` failed: {}", text(&status)),
            Err(_) => bail!("containerd did not answer `{method}` within {} s", limit.as_secs_f64()),
        }
    }
}

/// Takes every event until the client is gone. grpc-go sends the head of its answer with the first event, so that this
/// has to be under way before there is one.
async fn listen(channel: Channel, sender: UnboundedSender<Result<ContainerEventResponse, Status>>) {
    let end = async {
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = path("RuntimeService/GetContainerEvents").map_err(|error| Status::internal(error.to_string()))?;
        let codec: ProstCodec<Nothing, ContainerEventResponse> = ProstCodec::default();
        let mut events = grpc.server_streaming(tonic::Request::new(Nothing {}), path, codec).await?.into_inner();
        while let Some(event) = events.message().await? {
            if sender.send(Ok(event)).is_err() {
                return Ok(());
            }
        }
        Err::<(), _>(Status::unavailable("the stream has ended"))
    };
    if let Err(status) = end.await {
        // Nobody listens any more when the client is gone.
        drop(sender.send(Err(status)));
    }
}

/// The exit status of a container, when its end is reported.
async fn heard(
    events: &mut UnboundedReceiver<Result<ContainerEventResponse, Status>>,
    container: &str,
) -> Result<i32, Status> {
    loop {
        let Some(event) = events.recv().await else { return Err(Status::unimplemented("nobody listens")) };
        let event = event?;
        if event.container_id == container && event.container_event_type == STOPPED {
            let status = event.containers_statuses.iter().find(|status| status.id == container);
            return status.map(|status| status.exit_code).ok_or_else(|| Status::internal("an event without a status"));
        }
    }
}

fn path(method: &str) -> anyhow::Result<PathAndQuery> {
    PathAndQuery::try_from(format!("/runtime.v1.{method}")).with_context(|| format!("`{method}` is no method"))
}

/// What a server says, without what only a program reads.
fn text(status: &Status) -> String {
    format!("{} ({:?})", status.message().trim(), status.code())
}

fn image(reference: &str) -> ImageSpec {
    ImageSpec { image: reference.to_owned() }
}
