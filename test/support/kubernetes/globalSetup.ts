import { ensurePackages, MissingPackages } from "../aptPackages";
import { ensureImages, IMAGES, type TestImage } from "../images/ensureImages";
import { KubernetesBed, startCluster } from "./bed";

declare global {
    var kubernetesBed: KubernetesBed | undefined;
}

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

class Unable extends Error {
    constructor() {
        super("a cluster of its own needs Linux and root");
    }
}

/** One cluster for the whole lane (`describeKubernetes` finds it), unless STACKRUN_TEST_CLUSTER names one that runs already. */
export default async function setup(): Promise<void> {
    try {
        if (process.platform !== "linux" || process.getuid?.() !== 0) {
            throw new Unable();
        }
        ensurePackages(NEEDED);
        const given = process.env.STACKRUN_TEST_CLUSTER;
        const bed = given ? new KubernetesBed(given) : await startCluster();
        globalThis.kubernetesBed = given ? undefined : bed;
        process.env.STACKRUN_TEST_CLUSTER = bed.dir;
        for (const [name, tar] of Object.entries(await ensureImages())) {
            await bed.loadImage(tar, IMAGES[name as TestImage]);
        }
    } catch (error) {
        const unable = error instanceof Unable || error instanceof MissingPackages;
        if (!unable || process.env.CI) {
            await globalThis.kubernetesBed?.stop();
            throw error;
        }
        process.env.STACKRUN_TEST_CLUSTER_MISSING = error.message;
    }
}
