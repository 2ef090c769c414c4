import * as fs from "node:fs";
import * as path from "node:path";
import type { Check } from "../../../src/cli/doctor/check";
import { checkBackend, checkPassphrase } from "../../../src/cli/doctor/credentials";
import { checkPlugin } from "../../../src/cli/doctor/engine";
import {
    checkDisk,
    checkDocker,
    checkGit,
    checkNode,
    checkPlatform,
    checkShell,
} from "../../../src/cli/doctor/machine";
import { stackrun } from "../../support/cli";
import { useFolder } from "../../support/folder";

describe("stackrun doctor", () => {
    const folder = useFolder();
    const place = (env: Record<string, string> = {}) => ({
        env: { HOME: folder(), ...env },
        folder: folder(),
        stateDir: path.join(folder(), ".stackrun"),
        answerTimeoutMs: 500,
        startTimeoutMs: 30_000,
    });
    const tool = (name: string, script: string) => {
        const bin = path.join(folder(), "bin");
        fs.mkdirSync(bin, { recursive: true });
        fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return bin;
    };

    it("finds an engine, and says which one and why; exit code 0", () => {
        const bin = tool("pulumi", "echo v3.213.0");
        tool("pulumi-language-nodejs", "exit 0");
        const env = {
            PATH: `${bin}:${process.env.PATH}`,
            HOME: folder(),
            STACKRUN_CACHE: path.join(folder(), "cache"),
        };
        const { code, stdout } = stackrun(folder(), ["doctor", "--json"], env);
        const { ready, checks } = JSON.parse(stdout) as { ready: boolean; checks: Check[] };
        const byName = Object.fromEntries(checks.map((check) => [check.name, check]));
        expect(byName.engine).toMatchObject({
            state: "ok",
            found: `pulumi 3.213.0 is on PATH (${bin}/pulumi)`,
        });
        expect(byName["language host"]).toMatchObject({
            state: "ok",
            found: `${bin}/pulumi-language-nodejs`,
        });
        for (const name of ["plugin", "node", "sh", "state", "disk", "platform"]) {
            expect(byName[name]).toMatchObject({ state: "ok", needed: true });
        }
        expect(Object.keys(byName)).toEqual(
            expect.arrayContaining(["git", "docker", "kubectl", "passphrase"]),
        );
        expect({ ready, code }).toEqual({ ready: true, code: 0 });
        // Nothing was made.
        expect(fs.readdirSync(folder())).toEqual(["bin"]);
    }, 60_000);

    it("names what is missing, and what helps; exit code 3", () => {
        const bin = tool("pulumi", "echo v3.100.0");
        const env = { PATH: bin, HOME: folder(), STACKRUN_CACHE: path.join(folder(), "cache") };
        const { code, stdout, stderr } = stackrun(folder(), ["doctor"], env);
        expect(stdout).toMatch(
            /^missing +engine +on PATH: .*\/pulumi is 3\.100\.0, and \S+ or a newer 3\.x is needed/m,
        );
        expect(stdout).toMatch(/→ the first run makes one, or now: npx stackrun env.*there is no go on PATH/);
        expect(stdout).toMatch(/^missing +sh +the runner needs awk, cat, /m);
        expect(stdout).toMatch(/^not needed yet +docker +there is none on PATH/m);
        expect(stdout).toContain("not ready for a local run: engine, language host, sh\n");
        expect(stdout).not.toContain("\u001b");
        expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
        expect(fs.readdirSync(folder())).toEqual(["bin"]);
    }, 60_000);

    it("does not wait for a tool that gives no answer", async () => {
        const PATH = `${tool("docker", "sleep 60")}:${process.env.PATH}`;
        expect(await checkDocker(place({ PATH }))).toMatchObject({
            state: "not needed yet",
            found: expect.stringContaining("no answer within 0.5 s"),
            remedy: "start its engine",
        });
        tool("git", "echo broken >&2; exit 1");
        expect(await checkGit(place({ PATH }))).toMatchObject({ found: expect.stringContaining("broken") });
    });

    it("judges Node.js and the platform", () => {
        expect(checkNode("20.0.0").state).toBe("ok");
        expect(checkNode("18.20.1")).toMatchObject({
            state: "wrong",
            remedy: expect.stringContaining("nodejs.org"),
        });
        expect(checkPlatform("darwin").state).toBe("ok");
        expect(checkPlatform("win32")).toMatchObject({
            state: "wrong",
            remedy: expect.stringContaining("WSL"),
        });
    });

    it("finds the runner's tools, the plugin, and room on the disk", async () => {
        const PATH = process.env.PATH ?? "";
        expect(await checkShell(place({ PATH }))).toMatchObject({ state: "ok" });
        expect(await checkPlugin(place({ PATH }))).toMatchObject({ state: "ok" });
        expect(await checkDisk(place())).toMatchObject({
            state: "ok",
            found: expect.stringMatching(/GiB|MiB/),
        });
    }, 60_000);

    it("tells where the state is, why, and what is missing there", async () => {
        expect(await checkBackend(place())).toMatchObject({
            state: "ok",
            found: expect.stringContaining(`${folder()}/.stackrun/pulumi, because neither`),
        });
        expect(await checkBackend(place({ PULUMI_BACKEND_URL: `file://${folder()}` }))).toMatchObject({
            state: "ok",
        });
        expect(await checkBackend(place({ PULUMI_BACKEND_URL: "file://~/gone" }))).toMatchObject({
            state: "missing",
            remedy: expect.stringContaining(`mkdir -p ${folder()}/gone`),
        });
        expect(await checkBackend(place({ PULUMI_BACKEND_URL: "https://api.pulumi.com" }))).toMatchObject({
            state: "missing",
            remedy: expect.stringContaining("pulumi login https://api.pulumi.com"),
        });
    });

    it("looks at the passphrase's file and its mode", async () => {
        expect(await checkPassphrase(place())).toMatchObject({ state: "not needed yet" });
        const file = path.join(folder(), ".stackrun", "passphrase");
        fs.mkdirSync(path.dirname(file));
        fs.writeFileSync(file, "secret", { mode: 0o600 });
        expect(await checkPassphrase(place())).toMatchObject({ state: "ok", found: `${file}, mode 0600` });
        fs.chmodSync(file, 0o644);
        expect(await checkPassphrase(place())).toMatchObject({ state: "wrong", remedy: `chmod 600 ${file}` });
        fs.writeFileSync(file, "");
        expect(await checkPassphrase(place())).toMatchObject({ state: "wrong", needed: true });
        expect(await checkPassphrase(place({ PULUMI_CONFIG_PASSPHRASE: "x" }))).toMatchObject({
            state: "ok",
        });
        expect(await checkPassphrase(place({ PULUMI_CONFIG_PASSPHRASE: "" }))).toMatchObject({
            state: "wrong",
        });
        expect(await checkPassphrase(place({ PULUMI_CONFIG_PASSPHRASE_FILE: "/gone" }))).toMatchObject({
            state: "missing",
            needed: true,
        });
    });
});
