import * as fs from "node:fs";
import * as path from "node:path";
import { plainCluster } from "../../../src/run/kubernetes/kubeconfigPlain";
import { inPlainNode } from "../../support/kubernetes/plainNode";
import { useFolder } from "../../support/folder";

const base64 = (text: string) => Buffer.from(text).toString("base64");

interface Parts {
    cluster?: object;
    user?: object | null;
    more?: object;
}

function kubeconfig({ cluster = {}, user = {}, more = {} }: Parts): string {
    return JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443/base", ...cluster } }],
        users: [{ name: "u", user }],
        contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "jobs" } }],
        "current-context": "here",
        ...more,
    });
}

const read = (text: string) => plainCluster({ source: "the given kubeconfig", text });

interface Both {
    readonly plain: unknown;
    readonly sdk: unknown;
}

/** What both readers make of the same files, as far as a request knows it. */
async function bothOf(files: readonly string[]): Promise<Both[]> {
    const text = await inPlainNode(`
        const { plainCluster } = src("run/kubernetes/kubeconfigPlain");
        const { clusterBySdk } = src("run/kubernetes/kubeconfigSdk");
        const seen = async (cluster) => {
            const request = { headers: {} };
            await cluster.authorize(request);
            const { ca, cert, key, headers, servername, rejectUnauthorized, agent } = request;
            return {
                server: cluster.server.href, namespace: cluster.namespace, headers, servername, agent,
                ca: ca?.toString(), cert: cert?.toString(), key: key?.toString(),
                checked: rejectUnauthorized !== false,
            };
        };
        const all = ${JSON.stringify(files)}.map(async (file) => {
            const found = { source: "s", file };
            return { plain: await seen(plainCluster(found)), sdk: await seen(await clusterBySdk(found)) };
        });
        return JSON.stringify(await Promise.all(all));`);
    return JSON.parse(text) as Both[];
}

const PLAIN: Record<string, Parts> = {
    "certificates in it": {
        cluster: { "certificate-authority-data": base64("CA") },
        user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") },
    },
    "certificates in files beside it": {
        cluster: { "certificate-authority": "ca.pem" },
        user: { "client-certificate": "cert.pem", "client-key": "./key.pem" },
    },
    "a token": { user: { token: "t0ken" } },
    "a server that is not checked": { cluster: { "insecure-skip-tls-verify": true } },
    "a server by another name": { cluster: { "tls-server-name": "kubernetes" } },
};

describe("a kubeconfig read without the SDK", () => {
    const folder = useFolder();

    it("says what the SDK says", async () => {
        for (const file of ["ca.pem", "cert.pem", "key.pem"]) {
            fs.writeFileSync(path.join(folder(), file), `in ${file}`);
        }
        const files = Object.entries(PLAIN).map(([name, parts]) => {
            const file = path.join(folder(), `${name}.json`);
            fs.writeFileSync(file, kubeconfig(parts));
            return file;
        });
        const both = await bothOf(files);
        expect(both).toHaveLength(files.length);
        expect(both.map(({ plain }) => plain)).toEqual(both.map(({ sdk }) => sdk));
        expect(both[0]?.plain).toMatchObject({ ca: "CA", cert: "CERT", key: "KEY", namespace: "jobs" });
    });

    it("takes the context that is asked for", () => {
        const text = kubeconfig({
            more: {
                contexts: [
                    { name: "here", context: { cluster: "c", user: "u", namespace: "jobs" } },
                    { name: "there", context: { cluster: "c", user: "u", namespace: "others" } },
                ],
            },
        });
        expect(plainCluster({ source: "s", text, context: "there" })?.namespace).toBe("others");
        expect(plainCluster({ source: "s", text, context: "nowhere" })).toBeUndefined();
    });

    it.each<[string, string]>([
        ["a program that logs in", kubeconfig({ user: { exec: { command: "aws" } } })],
        ["a plugin that logs in", kubeconfig({ user: { "auth-provider": { name: "gcp" } } })],
        ["a name and a password", kubeconfig({ user: { username: "u", password: "p" } })],
        ["somebody else's rights", kubeconfig({ user: { token: "t", as: "root" } })],
        ["a token that is renewed in a file", kubeconfig({ user: { tokenFile: "/token" } })],
        ["a proxy", kubeconfig({ cluster: { "proxy-url": "http://proxy:3128" } })],
        ["yes and no as text", kubeconfig({ cluster: { "insecure-skip-tls-verify": "false" } })],
        ["no user", kubeconfig({ user: null })],
        ["no such cluster", kubeconfig({ more: { clusters: [] } })],
        ["a cluster twice", kubeconfig({ more: { clusters: [{ name: "c" }, { name: "c" }] } })],
        ["no context", kubeconfig({ more: { "current-context": "" } })],
        ["a server that is no URL", kubeconfig({ cluster: { server: "somewhere" } })],
        ["a file that is not there", kubeconfig({ cluster: { "certificate-authority": "/not/there" } })],
        ["no YAML", "clusters: [\n"],
        ["a list", "- a\n- b\n"],
    ])("leaves to the SDK: %s", (_, text) => {
        expect(read(text)).toBeUndefined();
    });

    it("loads no SDK", async () => {
        const loaded = await inPlainNode(`
            const { Connection } = src("run/kubernetes/connection");
            await Connection.open({ kubeconfig: ${JSON.stringify(kubeconfig({ user: { token: "t" } }))} });
            return String(Object.keys(require.cache).some((file) => file.includes("@kubernetes/client-node")));`);
        expect(loaded).toBe("false");
        const bySdk = await inPlainNode(`
            const { Connection } = src("run/kubernetes/connection");
            await Connection.open({ kubeconfig: ${JSON.stringify(kubeconfig({ user: { username: "u", password: "p" } }))} });
            return String(Object.keys(require.cache).some((file) => /[\\\\/]js-yaml[\\\\/]|client-node/.test(file)));`);
        expect(bySdk).toBe("true");
    });
});
