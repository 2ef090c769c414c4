import { inPlainNode } from "../../support/kubernetes/plainNode";

/** What a request says of a server that does this, when half a minute is over in a tenth of a second. */
const asked = (answer: string, request = 'connection.json({ path: "/version" })') =>
    inPlainNode(`
        const wait = setTimeout;
        globalThis.setTimeout = (then, ms) => wait(then, ms / 300);
        const answer = (response) => { ${answer} };
        const server = require("node:http").createServer((request, response) => answer(response));
        await require("node:events").once(server.listen(0, "127.0.0.1"), "listening");
        const kubeconfig = JSON.stringify({
            clusters: [{
                name: "c",
                cluster: { server: "http://127.0.0.1:" + server.address().port, "insecure-skip-tls-verify": true },
            }],
            users: [{ name: "u", user: {} }],
            contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
            "current-context": "c",
        });
        const { Connection } = src("run/kubernetes/connection");
        const connection = await Connection.open({ kubeconfig });
        return JSON.stringify(await ${request});`);

const SILENT = /^the cluster at http:.* can't be reached: no answer within 30 s$/;

describe("a request to a cluster", () => {
    it("that answers", async () => {
        expect(await asked('response.end(\'{"major":"1"}\')')).toBe('{"major":"1"}');
    });

    it("that says nothing", async () => {
        expect(await asked("")).toMatch(SILENT);
    });

    it("that stops in the middle of an answer", async () => {
        expect(await asked("response.write('{')")).toMatch(SILENT);
    });

    it("that says nothing when a stream is asked for", async () => {
        const request = 'connection.stream({ path: "/log" }, new AbortController().signal)';
        expect(await asked("", request)).toMatch(SILENT);
    });

    it("that drops the connection in the middle of an answer", async () => {
        const text = await asked("response.write('{', () => response.destroy())");
        expect(text).toMatch(/^the cluster at http:.* can't be reached: aborted$/);
    });
});
