import type Docker from "dockerode";
import type { Properties } from "../../../../src/provider/values";

export interface Label {
    readonly label: string;
    readonly value: string;
}

/** A list of labels, of which the check has seen that it is one, as the API's map. */
export function labelsOf(labels: unknown): Record<string, string> {
    return Object.fromEntries(((labels ?? []) as Label[]).map(({ label, value }) => [label, value]));
}

/** A container's inputs with their types; what is not refused by `refusals.ts` is applied. */
export interface ContainerInputs {
    readonly image: string;
    readonly name?: string;
    readonly command?: string[];
    readonly entrypoints?: string[];
    readonly envs?: string[];
    readonly labels?: Label[];
    readonly user?: string;
    readonly workingDir?: string;
    readonly hostname?: string;
    readonly domainname?: string;
    readonly tty?: boolean;
    readonly stdinOpen?: boolean;
    readonly stopSignal?: string;
    readonly stopTimeout?: number;
    readonly mounts?: Mount[];
    readonly volumes?: Volume[];
    readonly networkMode?: string;
    readonly networksAdvanced?: {
        name: string;
        aliases?: string[];
        ipv4Address?: string;
        ipv6Address?: string;
        linkLocalIps?: string[];
        driverOpts?: string[];
    }[];
    readonly memory?: number;
    readonly memoryReservation?: number;
    readonly memorySwap?: number;
    readonly shmSize?: number;
    readonly cpus?: string;
    readonly cpuShares?: number;
    readonly cpuSet?: string;
    readonly cpuPeriod?: number;
    readonly cpuQuota?: number;
    readonly gpus?: string;
    readonly deviceRequests?: DeviceRequest[];
    readonly devices?: { hostPath: string; containerPath?: string; permissions?: string }[];
    readonly dns?: string[];
    readonly dnsOpts?: string[];
    readonly dnsSearches?: string[];
    readonly hosts?: { host: string; ip: string }[];
    readonly capabilities?: { adds?: string[]; drops?: string[] };
    readonly securityOpts?: string[];
    readonly privileged?: boolean;
    readonly readOnly?: boolean;
    readonly tmpfs?: Record<string, string>;
    readonly ulimits?: { name: string; soft: number; hard: number }[];
    readonly sysctls?: Record<string, string>;
    readonly groupAdds?: string[];
    readonly pidMode?: string;
    readonly ipcMode?: string;
    readonly usernsMode?: string;
    readonly runtime?: string;
    readonly init?: boolean;
    readonly logDriver?: string;
    readonly logOpts?: Record<string, string>;
    readonly restart?: string;
    readonly maxRetryCount?: number;
    readonly ports?: { internal: number; external?: number; ip?: string; protocol?: string }[];
    readonly publishAllPorts?: boolean;
    readonly healthcheck?: {
        tests?: string[];
        interval?: string;
        timeout?: string;
        startPeriod?: string;
        retries?: number;
    };
    readonly rm?: boolean;
    readonly start?: boolean;
    readonly mustRun?: boolean;
    readonly attach?: boolean;
    readonly logs?: boolean;
    readonly wait?: boolean;
    readonly waitTimeout?: number;
    readonly removeVolumes?: boolean;
    readonly destroyGraceSeconds?: number;
    readonly containerReadRefreshTimeoutMilliseconds?: number;
    readonly platform?: string;
    readonly uploads?: Upload[];
}

interface Mount {
    readonly type: "bind" | "volume" | "tmpfs";
    readonly target: string;
    readonly source?: string;
    readonly readOnly?: boolean;
    readonly bindOptions?: { propagation?: string };
    readonly volumeOptions?: {
        noCopy?: boolean;
        labels?: Label[];
        driverName?: string;
        driverOptions?: Record<string, string>;
    };
    readonly tmpfsOptions?: { sizeBytes?: number; mode?: number };
}

interface Volume {
    readonly containerPath?: string;
    readonly fromContainer?: string;
    readonly hostPath?: string;
    readonly readOnly?: boolean;
    readonly selinuxRelabel?: string;
    readonly volumeName?: string;
}

interface DeviceRequest {
    readonly capabilities?: string[];
    readonly count?: number;
    readonly deviceIds?: string[];
    readonly driver?: string;
    readonly options?: Record<string, string>;
}

export interface Upload {
    readonly file: string;
    readonly content?: string;
    readonly contentBase64?: string;
    readonly source?: string;
    readonly sourceHash?: string;
    readonly executable?: boolean;
    readonly permissions?: string;
    readonly owner?: string;
    readonly group?: string;
}

const MIB = 1024 * 1024;

/** The API's body for creating a container. */
export function createOptions(inputs: ContainerInputs, name: string): Docker.ContainerCreateOptions {
    const { ports = [] } = inputs;
    return dropUndefined({
        name,
        platform: inputs.platform,
        Image: inputs.image,
        Cmd: inputs.command,
        Entrypoint: inputs.entrypoints,
        Env: inputs.envs,
        Labels: labelsOf(inputs.labels),
        User: inputs.user,
        WorkingDir: inputs.workingDir,
        Hostname: inputs.hostname,
        Domainname: inputs.domainname,
        Tty: inputs.tty ?? false,
        OpenStdin: inputs.stdinOpen ?? false,
        StopSignal: inputs.stopSignal,
        StopTimeout: inputs.stopTimeout,
        ExposedPorts: Object.fromEntries(
            ports.map((port) => [`${port.internal}/${port.protocol ?? "tcp"}`, {}]),
        ),
        Volumes: anonymousVolumes(inputs.volumes),
        Healthcheck: healthcheck(inputs.healthcheck),
        HostConfig: hostConfig(inputs),
    });
}

/** What a running container takes without being replaced. */
export function updateOptions(inputs: ContainerInputs): object {
    return dropUndefined({
        RestartPolicy: restartPolicy(inputs),
        CpuShares: inputs.cpuShares,
        CpusetCpus: inputs.cpuSet,
        Memory: mebibytes(inputs.memory),
        MemorySwap: mebibytes(inputs.memorySwap),
    });
}

export function containerInputs(properties: Properties): ContainerInputs {
    const given = Object.entries(properties).filter(([, value]) => value !== null);
    return Object.fromEntries(given) as unknown as ContainerInputs;
}

function hostConfig(inputs: ContainerInputs): Docker.HostConfig {
    const { volumes = [], ports = [], hosts = [], devices = [] } = inputs;
    return dropUndefined({
        Privileged: inputs.privileged ?? false,
        PublishAllPorts: inputs.publishAllPorts ?? false,
        RestartPolicy: restartPolicy(inputs),
        AutoRemove: inputs.rm ?? false,
        ReadonlyRootfs: inputs.readOnly ?? false,
        Init: inputs.init,
        LogConfig: inputs.logDriver || inputs.logOpts ? logConfig(inputs) : undefined,
        Mounts: inputs.mounts?.map(mount),
        Binds: volumes.flatMap(bind),
        VolumesFrom: volumes.flatMap(({ fromContainer }) => fromContainer ?? []),
        Tmpfs: inputs.tmpfs,
        PortBindings: Object.fromEntries(
            ports.map(({ internal, external, ip, protocol }) => [
                `${internal}/${protocol ?? "tcp"}`,
                [{ HostIp: ip ?? "0.0.0.0", HostPort: external === undefined ? "" : String(external) }],
            ]),
        ),
        ExtraHosts: hosts.map(({ host, ip }) => `${host}:${ip}`),
        Ulimits: inputs.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
        CapAdd: inputs.capabilities?.adds,
        CapDrop: inputs.capabilities?.drops,
        Devices: devices.map(({ hostPath, containerPath, permissions }) => ({
            PathOnHost: hostPath,
            PathInContainer: containerPath ?? hostPath,
            CgroupPermissions: permissions ?? "rwm",
        })),
        DeviceRequests: [...gpuRequests(inputs.gpus), ...(inputs.deviceRequests ?? []).map(deviceRequest)],
        Dns: inputs.dns,
        DnsOptions: inputs.dnsOpts,
        DnsSearch: inputs.dnsSearches,
        SecurityOpt: inputs.securityOpts,
        Memory: mebibytes(inputs.memory),
        MemoryReservation: mebibytes(inputs.memoryReservation),
        MemorySwap: mebibytes(inputs.memorySwap),
        ShmSize: mebibytes(inputs.shmSize),
        NanoCpus: inputs.cpus === undefined ? undefined : Math.round(Number(inputs.cpus) * 1e9),
        CpuShares: inputs.cpuShares,
        CpusetCpus: inputs.cpuSet,
        CpuPeriod: inputs.cpuPeriod,
        CpuQuota: inputs.cpuQuota,
        NetworkMode: inputs.networkMode,
        UsernsMode: inputs.usernsMode,
        PidMode: inputs.pidMode,
        IpcMode: inputs.ipcMode,
        Sysctls: inputs.sysctls,
        GroupAdd: inputs.groupAdds,
        Runtime: inputs.runtime,
    }) as Docker.HostConfig;
}

function restartPolicy({ restart, maxRetryCount }: ContainerInputs): Docker.HostRestartPolicy {
    return { Name: restart ?? "no", MaximumRetryCount: maxRetryCount ?? 0 };
}

function logConfig({ logDriver, logOpts }: ContainerInputs): Docker.LogConfig {
    return { Type: logDriver ?? "json-file", Config: logOpts ?? {} } as Docker.LogConfig;
}

// -1 stands for "no limit".
function mebibytes(value: number | undefined): number | undefined {
    return value === undefined || value < 0 ? value : value * MIB;
}

function mount(mount: Mount): Docker.MountConfig[number] {
    const { bindOptions, volumeOptions, tmpfsOptions } = mount;
    return dropUndefined({
        Type: mount.type,
        Target: mount.target,
        Source: mount.source ?? "",
        ReadOnly: mount.readOnly ?? false,
        BindOptions: bindOptions?.propagation ? { Propagation: bindOptions.propagation } : undefined,
        VolumeOptions: volumeOptions && {
            NoCopy: volumeOptions.noCopy ?? false,
            Labels: labelsOf(volumeOptions.labels),
            DriverConfig: {
                Name: volumeOptions.driverName ?? "",
                Options: volumeOptions.driverOptions ?? {},
            },
        },
        TmpfsOptions: tmpfsOptions && {
            SizeBytes: tmpfsOptions.sizeBytes ?? 0,
            Mode: tmpfsOptions.mode ?? 0,
        },
    }) as Docker.MountConfig[number];
}

function bind({ volumeName, hostPath, containerPath, readOnly, selinuxRelabel }: Volume): string[] {
    const source = hostPath ?? volumeName;
    const options = [readOnly ? "ro" : "rw", ...(selinuxRelabel ? [selinuxRelabel] : [])];
    return source && containerPath ? [`${source}:${containerPath}:${options.join(",")}`] : [];
}

// Those without a source: Docker makes a volume that has no name.
function anonymousVolumes(volumes: readonly Volume[] = []): Record<string, object> | undefined {
    const own = volumes.filter(
        ({ hostPath, volumeName, fromContainer }) => !(hostPath ?? volumeName ?? fromContainer),
    );
    return own.length > 0
        ? Object.fromEntries(own.map(({ containerPath }) => [containerPath ?? "", {}]))
        : undefined;
}

// As of `docker run --gpus`: a number, `all`, or `device=0,1`.
function gpuRequests(gpus: string | undefined): Docker.DeviceRequest[] {
    if (gpus === undefined) {
        return [];
    }
    const devices = /^"?device=([^"]+)"?$/.exec(gpus)?.[1]?.split(",");
    const count = devices ? undefined : gpus === "all" ? -1 : Number(gpus);
    return [
        dropUndefined({ Driver: "", Count: count, DeviceIDs: devices, Capabilities: [["gpu"]], Options: {} }),
    ];
}

function deviceRequest({
    capabilities,
    count,
    deviceIds,
    driver,
    options,
}: DeviceRequest): Docker.DeviceRequest {
    return {
        Driver: driver ?? "",
        Count: count ?? 0,
        DeviceIDs: deviceIds ?? [],
        Capabilities: capabilities ? [capabilities] : [],
        Options: options ?? {},
    };
}

function healthcheck(check: ContainerInputs["healthcheck"]): Docker.HealthConfig | undefined {
    return (
        check && {
            Test: check.tests ?? [],
            Interval: nanoseconds(check.interval),
            Timeout: nanoseconds(check.timeout),
            StartPeriod: nanoseconds(check.startPeriod),
            Retries: check.retries ?? 0,
        }
    );
}

function nanoseconds(duration = "0s"): number {
    const units: Record<string, number> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
    return [...duration.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
        (sum, [, number, unit]) => sum + Number(number) * (units[unit as string] as number),
        0,
    );
}

function dropUndefined<T extends object>(object: T): T {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
