import type * as Auth from "google-auth-library";
import { loadPeer } from "../peer";
import { GcpError } from "./errors";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const KEYS = ["GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON"];

/** Whoever asks Google: the same that Pulumi's provider takes from the environment. */
export interface Credentials {
    /** Where they come from, for people. */
    readonly source: string;
    /** A token for now. `fresh`: the last one was refused. */
    token(fresh?: boolean): Promise<string>;
}

/** Nothing is loaded or looked up before the first token. */
export function credentials(env: NodeJS.ProcessEnv = process.env): Credentials {
    const { GOOGLE_OAUTH_ACCESS_TOKEN: token } = env;
    if (token) {
        return { source: "GOOGLE_OAUTH_ACCESS_TOKEN", token: () => Promise.resolve(token) };
    }
    const name = KEYS.find((key) => env[key]);
    const options = () => (name === undefined ? {} : keyOf(env[name] as string, name));
    return fromLibrary(name ?? "Application Default Credentials", options);
}

// A JSON document, or the path of a file with one.
function keyOf(text: string, name: string): Auth.GoogleAuthOptions {
    if (!text.trimStart().startsWith("{")) {
        return { keyFilename: text.trim() };
    }
    try {
        return { credentials: JSON.parse(text) as Auth.JWTInput };
    } catch (error) {
        throw new Error(`${name} is neither the path of a file nor JSON: ${(error as Error).message}`, {
            cause: error,
        });
    }
}

function fromLibrary(source: string, options: () => Auth.GoogleAuthOptions): Credentials {
    let auth: Promise<Auth.GoogleAuth> | undefined;
    const load = async () => {
        const sdk = await loadPeer(
            "google-auth-library",
            async () => (await import("google-auth-library")) as unknown as typeof Auth,
            "logging in to Google Cloud",
        ).catch((error: Error) => {
            throw new GcpError(error.message, "refused", "", { cause: error });
        });
        return new sdk.GoogleAuth({ scopes: SCOPE, ...options() });
    };
    return {
        source,
        async token(fresh) {
            auth = fresh ? load() : (auth ?? load());
            const token = await (await auth).getAccessToken();
            if (!token) {
                throw new Error("there is no access token");
            }
            return token;
        },
    };
}
