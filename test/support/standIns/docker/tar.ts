import { createRequire } from "node:module";

export interface Pack extends NodeJS.ReadableStream {
    entry(header: { name: string; mode?: number }, content: Buffer): void;
    finalize(): void;
}

interface PackOptions {
    readonly entries: readonly string[];
    readonly map: (header: TarHeader) => TarHeader;
    readonly finalize: boolean;
    readonly finish: (pack: Pack) => void;
}

interface TarHeader {
    uid: number;
    gid: number;
    uname?: string;
    gname?: string;
}

// What dockerode makes its tar files and reads its ignore rules with; the API it speaks is the same.
const ofDockerode = createRequire(require.resolve("dockerode"));
const ofTarFs = createRequire(ofDockerode.resolve("tar-fs"));

export const tarFs = ofDockerode("tar-fs") as { pack(folder: string, options: PackOptions): Pack };
export const tarStream = ofTarFs("tar-stream") as { pack(): Pack };
export const dockerIgnore = ofDockerode("@balena/dockerignore") as () => {
    add(patterns: string): void;
    ignores(path: string): boolean;
};
