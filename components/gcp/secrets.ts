import { createHash } from "node:crypto";
import { Secret } from "@pulumi/gcp/secretmanager/secret";
import { SecretIamMember } from "@pulumi/gcp/secretmanager/secretIamMember";
import { SecretVersion } from "@pulumi/gcp/secretmanager/secretVersion";
import * as pulumi from "../sdk";
import { stackHash } from "./identity";

/** Of the 255 characters that an id may have, those that are left for the secret's own name. */
const MAX_NAME = 200;

export interface SecretParts {
    readonly project: pulumi.Output<string>;
    readonly store: pulumi.Output<string>;
    readonly labels?: Record<string, pulumi.Input<string>>;
    readonly names: readonly string[];
    readonly values: pulumi.Output<Record<string, string>>;
    /** Who may read them. Undefined: that is not for us to grant. */
    readonly member?: pulumi.Output<string>;
}

/** The pipeline's secrets in Secret Manager: the machine reads them there, as itself. */
export function declaredSecrets(
    name: string,
    { project, store, labels, names, values, member }: SecretParts,
    opts: pulumi.CustomResourceOptions,
): { references: pulumi.Output<Record<string, string>>; resources: readonly pulumi.Resource[] } {
    const made = names.map((one) => {
        const logical = `${name}-secret-${one}`;
        const secret = new Secret(
            logical,
            {
                project,
                secretId: store.apply((url) => secretId(stackHash(name, url), one)),
                replication: { auto: {} },
                labels,
            },
            opts,
        );
        const version = new SecretVersion(
            `${logical}-value`,
            { secret: secret.id, secretData: values.apply((all) => all[one] as string) },
            opts,
        );
        const reads =
            member &&
            new SecretIamMember(
                `${logical}-reads`,
                { project, secretId: secret.secretId, role: "roles/secretmanager.secretAccessor", member },
                opts,
            );
        // The latest: a value that is changed while the run goes on must not take the machine's next boot from it.
        const reference = pulumi.interpolate`projects/${project}/secrets/${secret.secretId}/versions/latest`;
        return { reference, resources: [secret, version, ...(reads ? [reads] : [])] };
    });
    const references = Object.fromEntries(names.map((one, index) => [one, made[index].reference]));
    return { references: pulumi.output(references), resources: made.flatMap(({ resources }) => resources) };
}

function secretId(stack: string, name: string): string {
    const own =
        name.length <= MAX_NAME
            ? name
            : `${name.slice(0, MAX_NAME - 13)}-${createHash("sha256").update(name).digest("hex").slice(0, 12)}`;
    return `stackrun-${stack}-${own}`;
}
