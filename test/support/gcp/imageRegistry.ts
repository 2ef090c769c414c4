import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as path from "node:path";
import { ensureImages, IMAGES, type TestImage } from "../images/ensureImages";
import { ApiError, errorOf } from "./api/errors";
import type { Principal } from "./api/router";
import type { Forward } from "./api/server";

const PATH = /^\/v2\/(?:([^/]+)\/([^/]+)\/(.+)\/(manifests|blobs)\/([^/]+))?$/;

interface Manifest {
    readonly digest: string;
    readonly mediaType: string;
}

/** Artifact Registry's images, for `docker pull`: who pulls logs in as `oauth2accesstoken`, with an access token. */
export class ImageRegistry {
    /** `<repository>/<image>:<tag>` -> the folder of its OCI layout. */
    private readonly layouts = new Map<string, string>();

    constructor(
        private readonly folder: string,
        private readonly project: string,
        private readonly allows: (principal: Principal, permission: string, repository: string) => boolean,
    ) {}

    /** Adds one of the tests' images. Returns what stands behind the registry's address: `<project>/images/busybox:1`. */
    async add(image: TestImage, repository: string): Promise<string> {
        const name = `${repository}/${IMAGES[image].split("/").pop()}`;
        const layout = path.join(this.folder, name.replace(/[/:]/g, "-"));
        fs.mkdirSync(layout, { recursive: true });
        execFileSync("tar", ["-xf", (await ensureImages([image]))[image], "-C", layout]);
        this.layouts.set(name, layout);
        return `${this.project}/${name}`;
    }

    forward(url: URL): Forward | undefined {
        const found = PATH.exec(url.pathname);
        if (!found) {
            return undefined;
        }
        const [, project, repository = "", image = "", what, reference = ""] = found;
        return {
            kind: what === undefined ? "registry.ping" : `registry.${what}.get`,
            run: async (principal, request, response) => {
                if (what === undefined) {
                    response.end("{}");
                    return;
                }
                if (!this.allows(principal, "artifactregistry.repositories.downloadArtifacts", repository)) {
                    throw errorOf(
                        403,
                        "forbidden",
                        `Permission "artifactregistry.repositories.downloadArtifacts" denied on resource (or it may not exist).`,
                    );
                }
                const known = project === this.project;
                const place = { repository, image, reference };
                await (known && what === "manifests"
                    ? this.manifest(place, request, response)
                    : this.blob(place, request, response));
            },
        };
    }

    private async manifest(
        { repository, image, reference }: Place,
        request: IncomingMessage,
        response: ServerResponse,
    ): Promise<void> {
        const layout = this.layoutsOf(repository, image).find(
            ([name, folder]) => name.endsWith(`:${reference}`) || manifestOf(folder).digest === reference,
        );
        if (!layout) {
            throw missing("MANIFEST_UNKNOWN", reference);
        }
        const { digest, mediaType } = manifestOf(layout[1]);
        await sendFile(blobFile(layout[1], digest), digest, mediaType, request, response);
    }

    private async blob(
        { repository, image, reference }: Place,
        request: IncomingMessage,
        response: ServerResponse,
    ): Promise<void> {
        const file = this.layoutsOf(repository, image)
            .map(([, folder]) => blobFile(folder, reference))
            .find((one) => fs.existsSync(one));
        if (!file) {
            throw missing("BLOB_UNKNOWN", reference);
        }
        await sendFile(file, reference, "application/octet-stream", request, response);
    }

    private layoutsOf(repository: string, image: string): [string, string][] {
        return [...this.layouts].filter(([name]) => name.startsWith(`${repository}/${image}:`));
    }
}

interface Place {
    readonly repository: string;
    readonly image: string;
    readonly reference: string;
}

function manifestOf(folder: string): Manifest {
    const index = JSON.parse(fs.readFileSync(path.join(folder, "index.json"), "utf8")) as {
        manifests: Manifest[];
    };
    return index.manifests[0] as Manifest;
}

function blobFile(folder: string, digest: string): string {
    return path.join(folder, "blobs", digest.replace(":", "/"));
}

function missing(reason: string, reference: string): ApiError {
    return new ApiError(404, reason, `${reference} is not in the registry`);
}

function sendFile(
    file: string,
    digest: string,
    type: string,
    request: IncomingMessage,
    response: ServerResponse,
): Promise<void> {
    response.writeHead(200, {
        "Content-Type": type,
        "Content-Length": fs.statSync(file).size,
        "Docker-Content-Digest": digest,
        "Docker-Distribution-Api-Version": "registry/2.0",
    });
    return new Promise((resolve) => {
        response.once("close", resolve);
        if (request.method === "HEAD") {
            response.end();
        } else {
            fs.createReadStream(file).pipe(response);
        }
    });
}
