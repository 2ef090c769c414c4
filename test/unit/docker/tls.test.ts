import { once } from "node:events";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import { connect } from "../../../src/run/docker/client";
import { explain, isUnreachable } from "../../../src/run/docker/errors";

/** What somebody is told who asks this server, by TLS, whether it is a daemon. */
async function saidOf(server: net.Server): Promise<string> {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as net.AddressInfo;
    try {
        const { docker, address } = await connect({ host: `https://127.0.0.1:${port}` }, {});
        return await docker.ping().then(
            () => "it answered",
            (error: Error) => {
                expect(isUnreachable(error)).toBe(false);
                return explain(error, { doing: "", address }).message.replace(/:\d+/, "");
            },
        );
    } finally {
        server.close();
    }
}

/** A server that answers the first thing it hears with this. */
const answering = (answer: Buffer | string) =>
    net.createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => socket.end(answer));
    });

/** One of TLS 1.2 that ends each handshake with this alert (RFC 5246, 7.2). */
const alerting = (alert: number) => answering(Buffer.from([21, 3, 3, 0, 2, 2, alert]));

const PREFIX = "the Docker daemon at https://127.0.0.1 can't be spoken to by TLS";
const THE_CERTIFICATE = "it does not take the certificate of this side; give one that its CA has signed";
const THE_VERSION = "it and this side have no version of TLS in common; update the older one of the two";
const A_CERTIFICATE = "it wants a certificate of this side and got none, or has no cipher in common";
const OTHER = "the handshake was broken off; see what the daemon's log says";

test.each([
    [40, "alert handshake failure", A_CERTIFICATE],
    [42, "alert bad certificate", THE_CERTIFICATE],
    [45, "alert certificate expired", THE_CERTIFICATE],
    [48, "alert unknown ca", THE_CERTIFICATE],
    [70, "alert protocol version", THE_VERSION],
    [80, "alert internal error", OTHER],
])("alert %d of a TLS 1.2 server: %s", async (alert, reason, meaning) => {
    const said = await saidOf(alerting(alert));
    expect(said.startsWith(`${PREFIX} (EPROTO, `)).toBe(true);
    // Before the alert stands a protocol: which one differs between releases of OpenSSL.
    expect(said).toContain(`${reason}): ${meaning}`);
});

test("a server that speaks no TLS", async () => {
    expect(await saidOf(answering("HTTP/1.1 400 Bad Request\r\n\r\n"))).toMatch(
        /: it speaks no TLS; correct the port, or leave out DOCKER_CERT_PATH$/,
    );
});

test("a real TLS 1.2 server with which there is no cipher in common", async () => {
    expect(await saidOf(tls.createServer({ maxVersion: "TLSv1.2" }))).toContain(A_CERTIFICATE);
});

test("a real server with which there is no version in common", async () => {
    const { options } = https.globalAgent;
    options.maxVersion = "TLSv1.2";
    try {
        const server = tls.createServer({ minVersion: "TLSv1.3", maxVersion: "TLSv1.3" });
        expect(await saidOf(server)).toContain(THE_VERSION);
    } finally {
        delete options.maxVersion;
    }
});

test.each([
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", THE_CERTIFICATE],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", THE_CERTIFICATE],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", A_CERTIFICATE],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", THE_VERSION],
    ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", OTHER],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "it speaks no TLS"],
    ["ERR_SSL_HTTP_REQUEST", "it speaks no TLS"],
])("the code %s", (code, meaning) => {
    const said = explain(Object.assign(new Error("x"), { code }), { doing: "", address: "tcp://a" }).message;
    expect(said).toContain(`can't be spoken to by TLS (${code}): ${meaning}`);
});
