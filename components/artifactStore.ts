import * as pulumi from "./sdk";
import { rcloneRemote, type RcloneRemote } from "../src/stores/artifacts/rclone";
import { parseStoreUrl, type StorePlace } from "../src/stores/artifacts/url";
import { BadInputError } from "./errors";
import { projectRoot } from "./projectRoot";
import { StoredBundle } from "./resources";

/** What an artifact store can be in: a folder of this machine, or a bucket of Google Cloud Storage. */
export type StoreKind = StorePlace["kind"];

/** What an {@link ArtifactStore} takes. */
export interface ArtifactStoreArgs {
    /** `gs://bucket/prefix`, `file:///folder`, or the path of a folder, relative to the root folder of the Pulumi project. */
    url: pulumi.Input<string>;
}

/** What components were made of: what is known already is checked before anything is declared. */
const urlsGiven = new WeakMap<ArtifactStore, pulumi.Input<string>>();

/**
 * Where code bundles and what steps make are kept, as a component: for a store that several orchestrators share, or that is
 * declared beside its bucket. It makes nothing by itself.
 *
 * @example
 * const store = new ArtifactStore("artifacts", { url: "gs://acme-artifacts/stackrun" });
 */
export class ArtifactStore extends pulumi.ComponentResource {
    /** Complete: of a path, the `file://` URL. */
    declare readonly url: pulumi.Output<string>;

    constructor(name: string, args: ArtifactStoreArgs, opts?: pulumi.ComponentResourceOptions) {
        const where = `ArtifactStore "${name}"`;
        const mistakes = storeMistakes(args.url, where, undefined, "url");
        if (mistakes.length > 0) {
            throw new BadInputError(mistakes);
        }
        super("stackrun:index:ArtifactStore", name, {}, opts);
        urlsGiven.set(this, args.url);
        this.url = placeOf(args.url, where, undefined, "url").apply(({ url }) => url);
        this.registerOutputs({ url: this.url });
    }
}

/** The artifact store of a run, for the declaration of its target. */
export interface DeclaredStore {
    /** Complete. It is the one that is given now: a target that is kept as it was when the attempt began has to keep it, too. */
    readonly url: pulumi.Output<string>;
    /** For the machine that runs the steps: how rclone reaches the store there. */
    readonly rclone: pulumi.Output<RcloneRemote>;
    /** Declares that the run's code is in the store. */
    bundle(name: string, opts: pulumi.CustomResourceOptions): StoredBundle;
}

/**
 * What is wrong with the argument as far as it is known before anything is declared. `kinds` are those that the
 * orchestrator can use; none: it makes no use of a store.
 */
export function storeMistakes(
    given: pulumi.Input<string> | ArtifactStore | undefined,
    where: string,
    kinds?: readonly StoreKind[],
    key = "artifactStore",
): string[] {
    if (given === undefined) {
        return [];
    }
    if (kinds?.length === 0) {
        return [
            `${where}: artifactStore has no use here: this orchestrator keeps what steps make in a place of its own. Leave it out`,
        ];
    }
    const url = given instanceof ArtifactStore ? urlsGiven.get(given) : given;
    if (pulumi.Output.isInstance(url) || url instanceof Promise) {
        return [];
    }
    const place = read(url, kinds);
    return typeof place === "string" ? [`${where}: ${key}: ${place}`] : [];
}

/** Where a store is, checked as soon as that is known. */
export function placeOf(
    given: pulumi.Input<string> | ArtifactStore,
    where: string,
    kinds?: readonly StoreKind[],
    key = "artifactStore",
): pulumi.Output<StorePlace> {
    // Of a component its own output, and not what that is made of: what uses it then depends on the component.
    const url = given instanceof ArtifactStore ? given.url : given;
    return pulumi.output(url).apply((text) => checkedPlace(text, where, kinds, key));
}

/** @throws BadInputError for what can't be the URL of a store here. */
export function checkedPlace(
    text: unknown,
    where: string,
    kinds?: readonly StoreKind[],
    key = "artifactStore",
): StorePlace {
    const place = read(text, kinds);
    if (typeof place === "string") {
        throw new BadInputError([`${where}: ${key}: ${place}`]);
    }
    return place;
}

/** What a run's declaration gets of its store. */
export function declaredStore(
    place: pulumi.Output<StorePlace>,
    code: {
        codeDir: string;
        codeHash: pulumi.Output<string>;
        stateDir: string;
        attempt: pulumi.Output<string>;
    },
): DeclaredStore {
    const url = place.apply((one) => one.url);
    return {
        url,
        rclone: place.apply((one) => rcloneRemote(one)),
        bundle: (name, opts) => new StoredBundle(name, { store: url, ...code }, opts),
    };
}

function read(text: unknown, kinds?: readonly StoreKind[]): StorePlace | string {
    if (typeof text !== "string") {
        return unknownValue(text);
    }
    const place = parseStoreUrl(text, projectRoot());
    return typeof place !== "string" && kinds && !kinds.includes(place.kind) ? unsupportedKind(text) : place;
}

function unknownValue(value: unknown): string {
    return `${JSON.stringify(value)} is no URL; allowed: a text, or an ArtifactStore`;
}

function unsupportedKind(text: string): string {
    return `${JSON.stringify(text)} is a folder on this machine, which the steps can't reach where they run; allowed: gs://bucket/prefix`;
}
