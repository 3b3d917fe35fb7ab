//! Settings to paste into clients, each with what that client means by "timeout".

use crate::latency::stats::Advice;
use crate::review::advice::EndpointAdvice;
use crate::review::text::human_us;
use crate::review::{Profile, Review};

/// Settings for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paste {
    /// The client.
    pub client: &'static str,
    /// The language of the text, as a code block names it.
    pub language: &'static str,
    /// The text.
    pub text: String,
    /// What its timeout covers, and what to look out for.
    pub meaning: &'static str,
}

/// What all clients are told. Milliseconds.
struct Numbers {
    name: String,
    connect: u64,
    attempt: u64,
    budget: u64,
    attempts: u32,
    backoff: u64,
    pool: u64,
    breaker: Option<(u64, u64)>,
    background: bool,
}

/// A client, the language of its settings, who writes them, and what its timeout means.
type Client = (&'static str, &'static str, fn(&Numbers) -> String, &'static str);

#[rustfmt::skip]
const CLIENTS: &[Client] = &[
    ("resilience4j", "yaml", resilience4j, "timelimiter counts one attempt, retry has no limit of the whole: attempts x (timeout + wait) must fit the budget. maxAttempts counts the first call. A breaker's calls count when they end"),
    ("Polly / .NET resilience", "json", polly, "AttemptTimeout is one attempt, TotalRequestTimeout the whole with all retries; SamplingDuration must be at least twice AttemptTimeout"),
    ("gRPC service config", "json", grpc, "timeout is the deadline of the call with all its attempts; maxAttempts is at most 5, and waits vary by 20 %"),
    ("Envoy route", "yaml", envoy, "timeout is the whole with all retries, per_try_timeout one attempt; both end with the answer's last byte"),
    ("Istio", "yaml", istio, "as Envoy's: timeout is the whole, perTryTimeout one attempt; attempts counts the retries only"),
    ("Gateway API", "yaml", gateway, "request is the whole, backendRequest one attempt; attempts counts the retries only. Linkerd reads the same route"),
    ("Apache HttpClient 5", "java", apache, "connectionRequestTimeout is the wait for a pooled connection; responseTimeout ends when the answer begins, not with its last byte"),
    ("Feign", "yaml", feign, "readTimeout is one read from the socket, not the whole answer: an answer that drips is never cut"),
    ("Java HttpClient", "java", java, "timeout ends when the answer's head arrives, not with its last byte: an answer that drips is never cut (JDK 17); infinite unless set. orTimeout on sendAsync ends the whole"),
    ("OkHttp", "java", okhttp, "callTimeout is the whole call with redirects and retries; readTimeout one read"),
    ("Go net/http", "go", go, "Client.Timeout is the whole call with the body; no limit unless set"),
    ("Python httpx", "python", httpx, "each is one wait (connect, read, write, pool), not the whole; asyncio.timeout adds the whole"),
    ("Python requests", "python", requests, "the second number is one read from the socket, not the whole answer; no limit unless set"),
    ("axios", "javascript", axios, "timeout is one wait for the server in Node: an answer that drips is never cut; the signal ends the whole"),
    ("reqwest + tower", "rust", reqwest, "reqwest's timeout is one attempt, from connect to the last byte of the body, and there is none unless set; tower's is all attempts with the waits between them, and ends when the answer's head arrives"),
];

/// Settings for every client, from the endpoint that needs the longest timeout; none where no timeout is known.
pub fn paste(review: &Review) -> Vec<Paste> {
    let Some(numbers) = numbers(review) else { return Vec::new() };
    let of = |(client, language, write, meaning): &Client| Paste { client, language, text: write(&numbers), meaning };
    CLIENTS.iter().map(of).collect()
}

/// The connection's set-up with a margin: its slowest recorded thousandth half as long again, but never so short that one
/// lost packet (sent again after a second) decides.
fn connect_ms(one: &EndpointAdvice, attempt: u64) -> u64 {
    let connect = one.phases.iter().find(|(name, _)| *name == "connect");
    let slowest = connect.and_then(|(_, slots)| slots.value_at_rank((slots.len() * 999).div_ceil(1_000)));
    let ms = slowest.map_or(1_200, |us| (us * 3 / 2).div_ceil(1_000)).max(1_200);
    ms.min(attempt.max(1))
}

fn numbers(review: &Review) -> Option<Numbers> {
    let known = review.endpoints.iter().filter_map(|one| match &one.timeout {
        Advice::Timeout(timeout) => Some((one, timeout.timeout_us)),
        Advice::Refused(_) => None,
    });
    let (one, timeout_us) = known.max_by_key(|(_, us)| *us)?;
    let best = one.best();
    let attempt = timeout_us.div_ceil(1_000).max(1);
    let sum = |of: fn(&EndpointAdvice) -> u64| review.endpoints.iter().map(of).sum::<u64>();
    let (peak, hanging) = (sum(|one| one.connections.0), sum(|one| one.connections.1));
    let breaker = one.breakers.last().map(|breaker| (breaker.window, breaker.failures));
    let background = review.settings.profile == Profile::Background;
    Some(Numbers {
        name: review.integration.clone(),
        connect: connect_ms(one, attempt),
        attempt,
        budget: (review.settings.budget_us / 1_000).max(attempt),
        attempts: best.map_or(1, |best| best.plan.attempts),
        backoff: best.map_or(100, |best| best.plan.backoff_us / 1_000),
        pool: peak.midpoint(hanging).max(peak).max(2),
        // A breaker protects somebody who waits.
        breaker: breaker.filter(|_| !background),
        background,
    })
}

/// `1.2s`, as Go, gRPC and Envoy write it.
fn s(ms: u64) -> String {
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{}.{:03}s", ms / 1_000, ms % 1_000) }
}

/// `00:00:01.2000000`, as .NET writes it.
fn span(ms: u64) -> String {
    let (h, m) = (ms / 3_600_000, ms / 60_000 % 60);
    format!("{h:02}:{m:02}:{:02}.{:03}0000", ms / 1_000 % 60, ms % 1_000)
}

fn resilience4j(n: &Numbers) -> String {
    let Numbers { name, attempt, attempts, backoff, pool, .. } = n;
    let breaker = n.breaker.map_or_else(String::new, |(window, failures)| {
        format!(
            "  circuitbreaker:\n    instances:\n      {name}:\n        slidingWindowType: COUNT_BASED\n        slidingWindowSize: {window}\n        minimumNumberOfCalls: {window}\n        failureRateThreshold: {}\n        slowCallDurationThreshold: {}ms\n        slowCallRateThreshold: 100\n        waitDurationInOpenState: 30s\n        permittedNumberOfCallsInHalfOpenState: 5\n",
            (failures * 100).div_ceil(window),
            attempt.saturating_sub(1).max(1)
        )
    });
    format!(
        "resilience4j:\n{breaker}  timelimiter:\n    instances:\n      {name}:\n        timeoutDuration: {attempt}ms\n        cancelRunningFuture: true\n  retry:\n    instances:\n      {name}:\n        maxAttempts: {attempts}\n        waitDuration: {backoff}ms\n        enableExponentialBackoff: true\n        exponentialBackoffMultiplier: 2\n        enableRandomizedWait: true\n        randomizedWaitFactor: 0.5\n  bulkhead:\n    instances:\n      {name}:\n        maxConcurrentCalls: {pool}\n        maxWaitDuration: 0ms\n"
    )
}

fn polly(n: &Numbers) -> String {
    let sampling = (2 * n.attempt).max(30_000);
    let (window, failures) = n.breaker.unwrap_or((100, 50));
    let value = serde_json::json!({
        n.name.as_str(): {
            "TotalRequestTimeout": { "Timeout": span(n.budget) },
            "Retry": {
                "MaxRetryAttempts": n.attempts.saturating_sub(1).max(1),
                "Delay": span(n.backoff),
                "BackoffType": "Exponential",
                "UseJitter": true,
            },
            "CircuitBreaker": {
                "FailureRatio": failures as f64 / window as f64,
                "MinimumThroughput": window,
                "SamplingDuration": span(sampling),
                "BreakDuration": span(30_000),
            },
            "AttemptTimeout": { "Timeout": span(n.attempt) },
        }
    });
    format!("{value:#}\n")
}

fn grpc(n: &Numbers) -> String {
    let mut method = serde_json::json!({
        "name": [{ "service": format!("{}.Service", n.name) }],
        "timeout": s(n.budget),
    });
    if n.attempts > 1 {
        method["retryPolicy"] = serde_json::json!({
            "maxAttempts": n.attempts.min(5),
            "initialBackoff": s(n.backoff.max(1)),
            "maxBackoff": s(n.backoff.max(1) * 10),
            "backoffMultiplier": 2.0,
            "retryableStatusCodes": ["UNAVAILABLE"],
        });
    }
    let value =
        serde_json::json!({ "methodConfig": [method], "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 } });
    format!("{value:#}\n")
}

fn envoy(n: &Numbers) -> String {
    let Numbers { name, pool, .. } = n;
    format!(
        "route:\n  cluster: {name}\n  timeout: {}\n  retry_policy:\n    retry_on: connect-failure,refused-stream,reset,5xx\n    num_retries: {}\n    per_try_timeout: {}\n    retry_back_off:\n      base_interval: {}\n      max_interval: {}\n# in the cluster\nconnect_timeout: {}\ncircuit_breakers:\n  thresholds:\n    - max_connections: {pool}\n      max_requests: {pool}\n      retry_budget:\n        budget_percent:\n          value: 20.0\n        min_retry_concurrency: 3\n",
        s(n.budget),
        n.attempts.saturating_sub(1),
        s(n.attempt),
        s(n.backoff.max(1)),
        s(n.backoff.max(1) * 10),
        s(n.connect)
    )
}

fn istio(n: &Numbers) -> String {
    let Numbers { name, pool, .. } = n;
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: {name}\nspec:\n  hosts:\n    - {name}\n  http:\n    - route:\n        - destination:\n            host: {name}\n      timeout: {}\n      retries:\n        attempts: {}\n        perTryTimeout: {}\n        retryOn: connect-failure,refused-stream,reset,5xx\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: {name}\nspec:\n  host: {name}\n  trafficPolicy:\n    connectionPool:\n      tcp:\n        maxConnections: {pool}\n        connectTimeout: {}\n",
        s(n.budget),
        n.attempts.saturating_sub(1),
        s(n.attempt),
        s(n.connect)
    )
}

fn gateway(n: &Numbers) -> String {
    let Numbers { name, budget, attempt, backoff, .. } = n;
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: {name}\nspec:\n  rules:\n    - backendRefs:\n        - name: {name}\n          port: 443\n      timeouts:\n        request: {budget}ms\n        backendRequest: {attempt}ms\n      retry:\n        attempts: {}\n        backoff: {backoff}ms\n        codes: [500, 502, 503, 504]\n",
        n.attempts.saturating_sub(1)
    )
}

fn apache(n: &Numbers) -> String {
    let Numbers { connect, attempt, pool, .. } = n;
    format!(
        "ConnectionConfig connections = ConnectionConfig.custom()\n    .setConnectTimeout(Timeout.ofMilliseconds({connect}))\n    .setSocketTimeout(Timeout.ofMilliseconds({attempt}))\n    .build();\nRequestConfig requests = RequestConfig.custom()\n    .setConnectionRequestTimeout(Timeout.ofMilliseconds({connect}))\n    .setResponseTimeout(Timeout.ofMilliseconds({attempt}))\n    .build();\nPoolingHttpClientConnectionManager pool = PoolingHttpClientConnectionManagerBuilder.create()\n    .setDefaultConnectionConfig(connections)\n    .setMaxConnTotal({pool})\n    .setMaxConnPerRoute({pool})\n    .build();\n"
    )
}

fn feign(n: &Numbers) -> String {
    let Numbers { name, connect, attempt, .. } = n;
    format!(
        "spring:\n  cloud:\n    openfeign:\n      client:\n        config:\n          {name}:\n            connectTimeout: {connect}\n            readTimeout: {attempt}\n"
    )
}

fn java(n: &Numbers) -> String {
    let Numbers { connect, attempt, .. } = n;
    format!(
        "HttpClient client = HttpClient.newBuilder()\n    .connectTimeout(Duration.ofMillis({connect}))\n    .build();\nHttpRequest.Builder request = HttpRequest.newBuilder()\n    .timeout(Duration.ofMillis({attempt}));\n"
    )
}

fn okhttp(n: &Numbers) -> String {
    let Numbers { connect, attempt, pool, .. } = n;
    format!(
        "Dispatcher dispatcher = new Dispatcher();\ndispatcher.setMaxRequests({pool});\ndispatcher.setMaxRequestsPerHost({pool});\nOkHttpClient client = new OkHttpClient.Builder()\n    .dispatcher(dispatcher)\n    .connectTimeout(Duration.ofMillis({connect}))\n    .readTimeout(Duration.ofMillis({attempt}))\n    .callTimeout(Duration.ofMillis({attempt}))\n    .build();\n"
    )
}

fn go(n: &Numbers) -> String {
    let Numbers { connect, attempt, pool, .. } = n;
    format!(
        "client := &http.Client{{\n\tTimeout: {attempt} * time.Millisecond,\n\tTransport: &http.Transport{{\n\t\tDialContext:         (&net.Dialer{{Timeout: {connect} * time.Millisecond}}).DialContext,\n\t\tTLSHandshakeTimeout: {connect} * time.Millisecond,\n\t\tMaxConnsPerHost:     {pool},\n\t\tMaxIdleConnsPerHost: {pool},\n\t}},\n}}\n"
    )
}

/// Milliseconds as seconds with a point.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn httpx(n: &Numbers) -> String {
    format!(
        "client = httpx.AsyncClient(\n    timeout=httpx.Timeout({attempt}, connect={connect}, pool={connect}),\n    limits=httpx.Limits(max_connections={pool}, max_keepalive_connections={pool}),\n)\n# the whole attempt\nlimit = {attempt}\n",
        attempt = seconds(n.attempt),
        connect = seconds(n.connect),
        pool = n.pool
    )
}

fn requests(n: &Numbers) -> String {
    format!(
        "session = requests.Session()\nsession.mount(\"https://\", requests.adapters.HTTPAdapter(pool_maxsize={}, pool_block=True))\ntimeout = ({}, {})\n",
        n.pool,
        seconds(n.connect),
        seconds(n.attempt)
    )
}

fn axios(n: &Numbers) -> String {
    let Numbers { attempt, pool, .. } = n;
    format!(
        "const client = axios.create({{\n  timeout: {attempt},\n  httpsAgent: new https.Agent({{ keepAlive: true, maxSockets: {pool} }}),\n}});\nconst limit = () => ({{ signal: AbortSignal.timeout({attempt}) }});\n"
    )
}

fn reqwest(n: &Numbers) -> String {
    let Numbers { connect, attempt, budget, backoff, pool, .. } = n;
    let client = format!(
        "let client = reqwest::Client::builder()\n    .connect_timeout(Duration::from_millis({connect}))\n    .timeout(Duration::from_millis({attempt}))\n    .pool_max_idle_per_host({pool})\n    .build()?;\n"
    );
    let retries = n.attempts.saturating_sub(1);
    if retries == 0 {
        return format!(
            "{client}let service = tower::ServiceBuilder::new().concurrency_limit({pool}).service(client);\n"
        );
    }
    format!(
        "#[derive(Clone)]\nstruct Again {{\n    left: u32,\n}}\n\nimpl tower::retry::Policy<reqwest::Request, reqwest::Response, reqwest::Error> for Again {{\n    type Future = tokio::time::Sleep;\n\n    fn retry(\n        &mut self,\n        _: &mut reqwest::Request,\n        answer: &mut Result<reqwest::Response, reqwest::Error>,\n    ) -> Option<Self::Future> {{\n        let failed = !answer.as_ref().is_ok_and(|answer| !answer.status().is_server_error());\n        self.left = self.left.checked_sub(1).filter(|_| failed)?;\n        Some(tokio::time::sleep(Duration::from_millis({backoff})))\n    }}\n\n    fn clone_request(&mut self, request: &reqwest::Request) -> Option<reqwest::Request> {{\n        request.try_clone()\n    }}\n}}\n\n{client}let service = tower::ServiceBuilder::new()\n    .timeout(Duration::from_millis({budget}))\n    .retry(Again {{ left: {retries} }})\n    .concurrency_limit({pool})\n    .service(client);\n"
    )
}

/// What the settings rest on, in one sentence; empty where there are none.
pub(crate) fn ground(review: &Review) -> String {
    let Some(n) = numbers(review) else { return String::new() };
    let us = |ms: u64| human_us(ms * 1_000);
    let breaker = match n.breaker {
        Some((window, failures)) => format!("a breaker that opens at {failures} failures of {window}"),
        None if n.background => "no breaker, as nobody waits".to_owned(),
        None => "no breaker, since none would stay closed by the failures recorded".to_owned(),
    };
    format!(
        "From the endpoint that needs the longest timeout: {} for one attempt, {} to connect, {} for all of {} attempts, {} \
         connections, {breaker}. Retry only what may be sent twice.",
        us(n.attempt),
        us(n.connect),
        us(n.budget),
        n.attempts,
        n.pool
    )
}
