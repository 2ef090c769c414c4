import type * as http from "node:http";

/** Unless something was sent already. */
export function send(response: http.ServerResponse, status: number, body: object): void {
    if (response.headersSent || response.destroyed) {
        return;
    }
    const scheme = response.req.url?.startsWith("/v2/") ? "Basic" : "Bearer";
    response.writeHead(status, {
        "Content-Type": "application/json; charset=UTF-8",
        ...(status === 401 && { "WWW-Authenticate": `${scheme} realm="https://accounts.google.com/"` }),
    });
    response.end(JSON.stringify(body));
}

/** Docker logs in with a name, and the token as the password. */
export function tokenOf({ headers }: http.IncomingMessage): string {
    const [, scheme = "", value = ""] = /^(Bearer|Basic) (.+)$/i.exec(headers.authorization ?? "") ?? [];
    return scheme.toLowerCase() === "basic"
        ? Buffer.from(value, "base64")
              .toString("utf8")
              .replace(/^oauth2accesstoken:/, "")
        : value;
}

export async function bodyOf(request: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
        chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
}

/** `undefined` for an empty body, an error for one that is no JSON. */
export function jsonOf(body: string): unknown {
    if (body === "") {
        return undefined;
    }
    try {
        return JSON.parse(body) as unknown;
    } catch (error) {
        return error;
    }
}
