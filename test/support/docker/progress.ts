import type Docker from "dockerode";

/** A line of the answer to a build, a push, a pull or a load. */
export interface ProgressLine {
    readonly stream?: string;
    readonly status?: string;
    readonly error?: string;
    readonly aux?: { readonly ID?: string; readonly Tag?: string; readonly Digest?: string };
}

/** Waits for the end of a daemon's answer. The daemon tells a failure inside of an answer that has the status 200. */
export async function followProgress(
    docker: Docker,
    stream: NodeJS.ReadableStream,
    onLine: (line: ProgressLine) => void = () => undefined,
): Promise<void> {
    let failure: string | undefined;
    await new Promise<void>((resolve, reject) =>
        docker.modem.followProgress(
            stream,
            (error) => (error ? reject(error) : resolve()),
            (line: ProgressLine) => {
                failure ??= line.error;
                onLine(line);
            },
        ),
    );
    if (failure !== undefined) {
        throw new Error(failure);
    }
}
