import * as http from "node:http";
import * as path from "node:path";

/** Path of the API (without its version) -> JSON; what is not here is not found. */
export type Answers = Readonly<Record<string, object>>;

/** Something that answers as a daemon does, for what a real one can't be made to say. */
export async function withDaemon<T>(
    folder: string,
    answers: Answers,
    use: (host: string) => Promise<T>,
): Promise<T> {
    const socket = path.join(folder, "docker.sock");
    const server = http.createServer((request, response) => {
        const place = (request.url ?? "").replace(/^\/v[\d.]+/, "");
        const answer = answers[place];
        response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
        response.end(JSON.stringify(answer ?? { message: `no such thing: ${place}` }));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
        return await use(`unix://${socket}`);
    } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    }
}
