import { ensurePackages, MissingPackages } from "../aptPackages";
import { ensureImages, IMAGES, type TestImage } from "../images/ensureImages";
import { KubernetesBed, startCluster } from "./bed";

/** Commands that a cluster needs beside its own programs, with the Debian packages that have them. */
const NEEDED = {
    containerd: "containerd",
    runc: "runc",
    iptables: "iptables",
    conntrack: "conntrack",
    ip: "iproute2",
    nsenter: "util-linux",
    openssl: "openssl",
    curl: "curl",
    "../lib/cni/bridge": "containernetworking-plugins",
};

/** This machine can't have a cluster. */
export class UnableError extends Error {}

export interface LaneCluster {
    readonly bed: KubernetesBed;
    /** Ends it, unless it ran before. */
    stop(): Promise<void>;
}

/**
 * A cluster that has the images: the one that STACKRUN_TEST_CLUSTER names, or a new one.
 * @throws UnableError
 */
export async function startWithImages(images?: readonly TestImage[]): Promise<LaneCluster> {
    if (process.platform !== "linux" || process.getuid?.() !== 0) {
        throw new UnableError("a cluster of its own needs Linux and root");
    }
    try {
        ensurePackages(NEEDED);
    } catch (error) {
        throw error instanceof MissingPackages ? new UnableError(error.message, { cause: error }) : error;
    }
    const given = process.env.STACKRUN_TEST_CLUSTER;
    const bed = given ? new KubernetesBed(given) : await startCluster();
    const stop = async () => void (given ? undefined : await bed.stop());
    try {
        for (const [name, tar] of Object.entries(await ensureImages(images ?? ALL))) {
            await bed.loadImage(tar, IMAGES[name as TestImage]);
        }
    } catch (error) {
        await stop();
        throw error;
    }
    return { bed, stop };
}

// Here, the Node.js of this machine is mounted.
const ALL = (Object.keys(IMAGES) as TestImage[]).filter((name) => name !== "node");
