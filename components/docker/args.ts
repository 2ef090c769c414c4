import type * as docker from "@pulumi/docker";
import type * as pulumi from "../sdk";
import type { OrchestratorArgs } from "../orchestrator";

/** What a Docker run takes beside what every orchestrator takes. */
export interface DockerOrchestratorArgs extends OrchestratorArgs {
    /**
     * The daemon's address: `unix://…`, `tcp://…` or `ssh://…`.
     * @default - that of a `docker.Provider` in the component's options, else DOCKER_HOST, else Docker's own socket
     */
    dockerHost?: pulumi.Input<string>;
    /**
     * Who runs the steps, as `"uid"`, `"uid:gid"` or a name; `"image"`: the user that the image itself names.
     * @default "65532:65532", which is nobody in particular, and not root
     */
    user?: string;
    /**
     * How many CPUs the container may use: `2`, `0.5`.
     * @default - all
     */
    cpus?: number;
    /**
     * How much memory, as `"4Gi"` or `"512m"`; beyond that, the run ends as `OutOfMemory`. There is no swap.
     * @default - all
     */
    memory?: string;
    /**
     * `"all"`, or `"device=0,2"`.
     * @default - none
     */
    gpus?: string;
    /**
     * The size of `/dev/shm`, as `"1Gi"`: PyTorch's data loaders need it.
     * @default - Docker's, which is 64 MiB
     */
    shmSize?: string;
    /**
     * The network: its name, `"host"` or `"none"`.
     * @default - Docker's bridge
     */
    network?: pulumi.Input<string>;
    /**
     * Entries for `/etc/hosts`: name -> address, or `"host-gateway"`.
     * @default - none
     */
    extraHosts?: Record<string, string>;
    /**
     * Folders of the daemon's machine, and Docker's volumes, that the steps see.
     * @default - none
     */
    volumes?: DockerVolume[];
    /**
     * `"IfNotPresent"`: the image is pulled if the daemon has none of this name. `"Always"`: the registry is asked at every
     * preview and update which image the name stands for; another one is a new run. `"Never"`: it has to be there.
     * @default "IfNotPresent"
     */
    pullPolicy?: "Always" | "IfNotPresent" | "Never";
    /**
     * Who may pull from registries.
     * @default - those of the `docker.Provider`
     */
    registries?: DockerRegistry[];
    /**
     * Labels of the container and the volume, beside stackrun's own.
     * @default - none
     */
    labels?: Record<string, string>;
    /**
     * `true`: the steps see the code folder itself, read-only, and nothing is copied; for a daemon on this machine.
     * @default false
     */
    mountCode?: boolean;
    /**
     * Changes what the container is declared with, where no argument does: it gets that, and returns what to declare.
     * @default - none
     */
    transform?: (container: docker.ContainerArgs) => docker.ContainerArgs;
}

/** A folder of the daemon's machine, or a volume of Docker. */
export interface DockerVolume {
    /** An absolute path on the daemon's machine. */
    hostPath?: string;
    /** A volume's name. */
    volume?: pulumi.Input<string>;
    /** An absolute path in the container. */
    containerPath: string;
    /** @default false */
    readOnly?: boolean;
}

/** Who may pull from a registry. */
export interface DockerRegistry {
    /** `ghcr.io`, `registry.example.com:5000`; with `http://` before it, one that has no TLS. */
    address: string;
    username: pulumi.Input<string>;
    /** A token or password; kept as a secret. */
    password: pulumi.Input<string>;
}
