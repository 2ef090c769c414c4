import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface ImageSpec {
    /** With its tag: `stackrun.test/busybox:1`. */
    readonly name: string;
    /** The folder that becomes the only layer. */
    readonly root: string;
    /** As in the OCI image specification: Cmd, Entrypoint, Env, User, WorkingDir, Labels, ... */
    readonly config?: Readonly<Record<string, unknown>>;
    /** `keep` needs root, and is for trees that have owners of their own; by default everything is root's. */
    readonly owners?: "root" | "keep";
}

const MEDIA = "application/vnd.oci.image";
const EPOCH = "1970-01-01T00:00:00Z";
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Writes an image as a tar file, without a daemon. It is an OCI layout and a docker-archive at once: `docker load` takes
 * it, and `ctr images import` does. The same folder makes the same digests.
 */
export function writeImage(spec: ImageSpec, file: string): void {
    const work = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-image-"));
    try {
        const blobs = path.join(work, "blobs/sha256");
        fs.mkdirSync(blobs, { recursive: true });
        const layer = addLayer(spec, blobs);
        const config = addJson(blobs, configOf(spec, layer.digest));
        const manifest = addJson(blobs, manifestOf(config, layer));
        const write = (name: string, content: object) =>
            fs.writeFileSync(path.join(work, name), JSON.stringify(content));
        write("oci-layout", { imageLayoutVersion: "1.0.0" });
        write("index.json", indexOf(spec.name, manifest));
        write("manifest.json", [
            { Config: blobPath(config), RepoTags: [spec.name], Layers: [blobPath(layer)] },
        ]);
        writeTar(work, file, "root");
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
}

interface Blob {
    readonly digest: string;
    readonly size: number;
}

function addLayer({ root, owners }: ImageSpec, blobs: string): Blob {
    const file = path.join(blobs, "layer");
    writeTar(root, file, owners ?? "root");
    const blob = { digest: digestOfFile(file), size: fs.statSync(file).size };
    fs.renameSync(file, path.join(blobs, blob.digest.slice("sha256:".length)));
    return blob;
}

function addJson(blobs: string, content: object): Blob {
    const text = JSON.stringify(content);
    const digest = createHash("sha256").update(text).digest("hex");
    fs.writeFileSync(path.join(blobs, digest), text);
    return { digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}

function configOf({ config }: ImageSpec, diffId: string): object {
    return {
        created: EPOCH,
        architecture: process.arch === "x64" ? "amd64" : process.arch,
        os: "linux",
        config: { Env: [PATH], ...config },
        rootfs: { type: "layers", diff_ids: [diffId] },
        history: [{ created: EPOCH, created_by: "stackrun tests" }],
    };
}

function manifestOf(config: Blob, layer: Blob): object {
    return {
        schemaVersion: 2,
        mediaType: `${MEDIA}.manifest.v1+json`,
        config: { mediaType: `${MEDIA}.config.v1+json`, ...config },
        layers: [{ mediaType: `${MEDIA}.layer.v1.tar`, ...layer }],
    };
}

// containerd names the image by the first annotation, other tools take the tag of the second one.
function indexOf(name: string, manifest: Blob): object {
    const annotations = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
    };
    const mediaType = `${MEDIA}.manifest.v1+json`;
    return { schemaVersion: 2, manifests: [{ mediaType, ...manifest, annotations }] };
}

function blobPath({ digest }: Blob): string {
    return `blobs/${digest.replace(":", "/")}`;
}

function writeTar(folder: string, file: string, owners: "root" | "keep"): void {
    const who = owners === "root" ? ["--owner=0", "--group=0"] : [];
    const same = ["--sort=name", "--mtime=@0", "--numeric-owner", "--format=gnu"];
    execFileSync("tar", ["-C", folder, ...same, ...who, "-cf", file, "."], {
        stdio: ["ignore", "ignore", "inherit"],
    });
}

function digestOfFile(file: string): string {
    const hash = createHash("sha256");
    const buffer = Buffer.alloc(1 << 20);
    const handle = fs.openSync(file, "r");
    try {
        for (let read; (read = fs.readSync(handle, buffer)) > 0;) {
            hash.update(buffer.subarray(0, read));
        }
    } finally {
        fs.closeSync(handle);
    }
    return `sha256:${hash.digest("hex")}`;
}
