import * as fs from "node:fs";
import * as path from "node:path";
import { backendEnv, isOwnBackend } from "../../../src/cli/backend";
import { backendOf, hasToken } from "../../../src/cli/login";
import { useFolder } from "../../support/folder";

describe("where stacks are kept", () => {
    const folder = useFolder();
    const logIn = (content: string) => {
        fs.mkdirSync(path.join(folder(), "home"), { recursive: true });
        fs.writeFileSync(path.join(folder(), "home", "credentials.json"), content);
        return { PULUMI_HOME: path.join(folder(), "home") };
    };
    const CLOUD = "https://api.pulumi.com";
    const loggedIn = JSON.stringify({ current: CLOUD, accessTokens: { [CLOUD]: "pul-0" } });

    it("is the state folder, if nobody is logged in", async () => {
        for (const env of [
            { PULUMI_HOME: path.join(folder(), "nowhere") },
            { HOME: folder() },
            logIn("{}"),
            logIn('{"current": ""}'),
            logIn("no JSON"),
        ]) {
            expect(backendOf(env)).toMatchObject({ kind: "own" });
        }
        const env = await backendEnv(folder(), logIn("{}"));
        expect(env.PULUMI_BACKEND_URL).toBe(`file://${folder()}/pulumi`);
        expect(fs.statSync(env.PULUMI_CONFIG_PASSPHRASE_FILE ?? "").mode & 0o777).toBe(0o600);
    });

    it("is where the user is logged in, in the order in which Pulumi looks", async () => {
        const env = logIn(loggedIn);
        expect(backendOf(env)).toMatchObject({ kind: "chosen", url: CLOUD });
        expect(isOwnBackend(env)).toBe(false);
        expect((await backendEnv(folder(), env)).PULUMI_BACKEND_URL).toBeUndefined();
        expect(backendOf({ ...env, PULUMI_BACKEND_URL: "file:///x" })).toMatchObject({ url: "file:///x" });
        expect(
            backendOf({ PULUMI_HOME: "/nowhere", PULUMI_CREDENTIALS_PATH: env.PULUMI_HOME }),
        ).toMatchObject({
            url: CLOUD,
        });
        expect(backendOf({ HOME: "/nowhere", PULUMI_ACCESS_TOKEN: "pul-0" })).toMatchObject({ url: CLOUD });
    });

    it("is found below HOME, where Pulumi keeps it without PULUMI_HOME", () => {
        fs.mkdirSync(path.join(folder(), ".pulumi"));
        fs.writeFileSync(path.join(folder(), ".pulumi", "credentials.json"), loggedIn);
        expect(backendOf({ HOME: folder() })).toMatchObject({ kind: "chosen", url: CLOUD });
    });

    it("is the state folder whoever is logged in, with STACKRUN_BACKEND=local", () => {
        const env = { ...logIn(loggedIn), PULUMI_BACKEND_URL: "file:///x", STACKRUN_BACKEND: "local" };
        expect(isOwnBackend(env)).toBe(true);
    });

    it("knows whether there is a token for it", () => {
        expect(hasToken(CLOUD, logIn(loggedIn))).toBe(true);
        expect(hasToken("https://pulumi.example.com", logIn(loggedIn))).toBe(false);
        expect(hasToken(CLOUD, { HOME: "/nowhere" })).toBe(false);
        expect(hasToken(CLOUD, { HOME: "/nowhere", PULUMI_ACCESS_TOKEN: "pul-0" })).toBe(true);
        expect(hasToken("file:///x", { HOME: "/nowhere" })).toBe(true);
    });
});
