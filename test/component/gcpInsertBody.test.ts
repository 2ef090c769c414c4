import type { InstanceArgs } from "@pulumi/gcp/compute/instance";
import { insertBody, ZONE } from "../../components/gcp/insertBody";
import { BadInputError } from "../../src/index";
import { instanceTypes } from "../support/standIns/gcp/types/instance";
import { checkInstance } from "../support/gcp/compute/validate";

const ZONES = ["us-central1-a", "us-central1-b"];
const ARGS = {
    name: "stackrun-r1-1",
    project: "p",
    zone: ZONE,
    machineType: "e2-standard-2",
    bootDisk: {
        initializeParams: {
            image: "projects/cos-cloud/global/images/family/cos-stable",
            size: 30,
            type: "pd-ssd",
        },
    },
    networkInterfaces: [{ network: "default", accessConfigs: [{}] }],
    scheduling: {
        provisioningModel: "SPOT",
        preemptible: true,
        automaticRestart: false,
        onHostMaintenance: "TERMINATE",
        instanceTerminationAction: "STOP",
        maxRunDuration: { seconds: 3600 },
    },
    serviceAccount: { email: "sa@p.iam.gserviceaccount.com", scopes: ["cloud-platform"] },
    metadata: { "startup-script": "#!/bin/sh\n" },
    labels: { "stackrun-run": "r1" },
    tags: ["no-ssh"],
    guestAccelerators: undefined,
};

// eslint-disable-next-line @typescript-eslint/no-explicit-any
const body = (more: object = {}): any => insertBody({ ...ARGS, ...more } as InstanceArgs, ZONES, "here");

describe("the body of instances.insert", () => {
    it("says what the provider's arguments do", () => {
        expect(body()).toEqual({
            name: "stackrun-r1-1",
            machineType: "zones/{zone}/machineTypes/e2-standard-2",
            disks: [
                {
                    boot: true,
                    type: "PERSISTENT",
                    mode: "READ_WRITE",
                    autoDelete: true,
                    initializeParams: {
                        sourceImage: "projects/cos-cloud/global/images/family/cos-stable",
                        diskSizeGb: "30",
                        diskType: "zones/{zone}/diskTypes/pd-ssd",
                    },
                },
            ],
            networkInterfaces: [
                {
                    network: "global/networks/default",
                    accessConfigs: [{ type: "ONE_TO_ONE_NAT", name: "External NAT" }],
                },
            ],
            scheduling: { ...ARGS.scheduling, maxRunDuration: { seconds: "3600" } },
            serviceAccounts: [
                {
                    email: "sa@p.iam.gserviceaccount.com",
                    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
                },
            ],
            metadata: { items: [{ key: "startup-script", value: "#!/bin/sh\n" }] },
            labels: { "stackrun-run": "r1" },
            tags: { items: ["no-ssh"] },
        });
    });

    it.each(ZONES)("is one that Compute Engine takes in %s", (zone) => {
        const place = { project: "p", zone, serviceAccountExists: () => true };
        const inZone = (one: object) =>
            JSON.parse(JSON.stringify(one).replaceAll(ZONE, zone)) as Parameters<typeof checkInstance>[0];
        expect(() => checkInstance(inZone(body()), place)).not.toThrow();
        expect(() => checkInstance(inZone(body({ machineType: "e9-none" })), place)).toThrow("e9-none");
    });

    it("knows subnetworks, GPUs, policies, reservations and local disks", () => {
        expect(
            body({
                networkInterfaces: [{ subnetwork: "jobs", networkIp: "10.0.0.9", nicType: "GVNIC" }],
                guestAccelerators: [{ type: "nvidia-tesla-t4", count: 1 }],
                resourcePolicies: "policy",
                reservationAffinity: {
                    type: "SPECIFIC_RESERVATION",
                    specificReservation: { key: "k", values: ["v"] },
                },
                scratchDisks: [{ interface: "NVME" }],
                metadataStartupScript: "echo",
                metadata: undefined,
                minCpuPlatform: "Intel Skylake",
                allowStoppingForUpdate: true,
            }),
        ).toMatchObject({
            networkInterfaces: [
                {
                    subnetwork: "regions/us-central1/subnetworks/jobs",
                    networkIP: "10.0.0.9",
                    nicType: "GVNIC",
                },
            ],
            guestAccelerators: [
                { acceleratorType: "zones/{zone}/acceleratorTypes/nvidia-tesla-t4", acceleratorCount: 1 },
            ],
            resourcePolicies: ["policy"],
            reservationAffinity: { consumeReservationType: "SPECIFIC_RESERVATION", key: "k", values: ["v"] },
            disks: [
                { boot: true },
                {
                    type: "SCRATCH",
                    interface: "NVME",
                    autoDelete: true,
                    initializeParams: { diskType: "zones/{zone}/diskTypes/local-ssd" },
                },
            ],
            metadata: { items: [{ key: "startup-script", value: "echo" }] },
            minCpuPlatform: "Intel Skylake",
        });
        expect(body({ allowStoppingForUpdate: true })).not.toHaveProperty("allowStoppingForUpdate");
        expect(body({ machineType: "zones/z/machineTypes/m" }).machineType).toBe("zones/z/machineTypes/m");
    });

    it("refuses what it can't say, all at once, and never leaves anything out", () => {
        const known = Object.keys(instanceTypes.InstanceArgs ?? {});
        const refused = known.filter((key) => {
            try {
                body({ [key]: key in ARGS ? (ARGS as Record<string, unknown>)[key] : "x" });
                return false;
            } catch (error) {
                return error instanceof BadInputError;
            }
        });
        expect(refused).toEqual([
            "attachedDisks",
            "desiredStatus",
            "enableDisplay",
            "eraseWindowsVssSignature",
            "instanceEncryptionKey",
            "partnerMetadata",
            "workloadIdentityConfig",
        ]);
        expect(() => body({ attachedDisks: [], enableDisplay: true })).toThrow(
            /^here: transform returns attachedDisks, which can't .*\nhere: transform returns enableDisplay, which/,
        );
    });
});
