import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "../project";
import type { GcpBed } from "./bed";

/** What steps on a machine and a test tell each other: steps report by name, and wait at gates that the test opens. */
export class Gate {
    readonly reports: string[] = [];
    private readonly open = new Set<string>();

    private constructor(
        private readonly server: http.Server,
        /** As steps see it. */
        readonly url: string,
    ) {
        server.on("request", (request, response) => this.answer(request, response));
    }

    static async start(bed: GcpBed): Promise<Gate> {
        const server = http.createServer();
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        return new Gate(server, await bed.expose(url));
    }

    /** sh functions for steps: `report NAME` prints how often that was reported, this time included; `pass NAME` waits. */
    get functions(): string {
        return [
            `report() { wget -q -O - "${this.url}/report/$1"; }`,
            `pass() { until wget -q -O /dev/null "${this.url}/pass/$1" 2>/dev/null; do sleep 0.2; done; }`,
        ].join("\n");
    }

    pass(name: string): void {
        this.open.add(name);
    }

    clear(): void {
        this.open.clear();
        this.reports.length = 0;
    }

    count(name: string): number {
        return this.reports.filter((one) => one === name).length;
    }

    async reported(name: string, times = 1, timeoutMs = 120_000, more = () => ""): Promise<void> {
        await until(
            () => this.count(name) >= times,
            timeoutMs,
            () => `"${name}" to be reported ${times} times; reported: ${this.reports.join(", ")}\n${more()}`,
        );
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private answer({ url = "" }: http.IncomingMessage, response: http.ServerResponse): void {
        const [, what, name = ""] = url.split("/");
        if (what === "report") {
            this.reports.push(name);
            response.end(String(this.count(name)));
        } else {
            response.writeHead(this.open.has(name) ? 200 : 404).end();
        }
    }
}
