import type * as Gcs from "@google-cloud/storage";
import { loadPeer } from "../../run/peer";
import { emulatorUrl } from "./emulator";
import { download } from "./gcsDownload";
import { gcsError, gcsHope, isMissingBucket, statusOf, type GcsAction } from "./gcsErrors";
import { upload } from "./gcsUpload";
import { byKey, checkKey, checkPrefix } from "./keys";
import { PATIENCE, retrying, type Patience, type Retrying } from "./retry";
import type {
    Abortable,
    ArtifactStore,
    PutOptions,
    Range,
    Source,
    StoredObject,
    TransferOptions,
} from "./types";
import type { StorePlace } from "./url";

/** The name of our checksum among an object's own metadata. */
export const SHA256 = "stackrun-sha256";
const PAGE = 1000;

type Sdk = typeof Gcs;

/** What operations on one bucket need. */
export interface GcsContext {
    readonly sdk: Sdk;
    readonly bucket: Gcs.Bucket;
    readonly retrying: Retrying;
}

/** A store in a bucket of Google Cloud Storage. */
export class GcsStore implements ArtifactStore {
    readonly url: string;
    private loaded?: Promise<{ readonly sdk: Sdk; readonly bucket: Gcs.Bucket }>;

    constructor(
        readonly place: StorePlace & { kind: "gs" },
        private readonly patience: Patience = PATIENCE,
    ) {
        this.url = place.url;
    }

    stat(key: string, { signal }: Abortable = {}): Promise<StoredObject | undefined> {
        const name = this.nameOf(key);
        return this.unlessMissing("get", signal, async ({ bucket, retrying: how }) => {
            const [found] = await retrying(how, () => bucket.file(name).getMetadata());
            return this.objectOf(found);
        });
    }

    async put(key: string, source: Source, options: PutOptions = {}): Promise<"stored" | "exists"> {
        const name = this.nameOf(key);
        // An upload would find it out, too, but only when all of a small object has gone over.
        if (options.ifAbsent && (await this.stat(key, options))) {
            return "exists";
        }
        return this.explained("create", options.signal, (context) => upload(context, name, source, options));
    }

    get(key: string, file: string, options: TransferOptions = {}): Promise<StoredObject | undefined> {
        const name = this.nameOf(key);
        return this.unlessMissing("get", options.signal, async (context) =>
            this.objectOf(await download(context, name, file, options)),
        );
    }

    async read(
        key: string,
        { start = 0, end = Infinity, signal }: Range & Abortable = {},
    ): Promise<Buffer | undefined> {
        const name = this.nameOf(key);
        const size = (await this.stat(key, { signal }))?.size;
        if (size === undefined || start >= Math.min(end, size)) {
            return size === undefined ? undefined : Buffer.alloc(0);
        }
        const range = { start, end: Math.min(end, size) - 1 };
        return this.unlessMissing("get", signal, ({ bucket, retrying: how }) =>
            retrying(how, async () => {
                const options = { ...range, validation: false, decompress: false };
                const [bytes] = await bucket.file(name).download(options);
                return bytes;
            }),
        );
    }

    async list(prefix: string, { signal }: Abortable = {}): Promise<StoredObject[]> {
        checkPrefix(prefix);
        return this.explained("list", signal, async ({ bucket, retrying: how }) => {
            const found: StoredObject[] = [];
            let query: object | null = {
                prefix: `${this.before}${prefix}`,
                maxResults: PAGE,
                autoPaginate: false,
            };
            while (query) {
                const page: object = query;
                const [files, next] = await retrying(how, () => bucket.getFiles(page));
                found.push(...files.map((file) => this.objectOf(file.metadata)));
                query = next;
            }
            return found.sort(byKey);
        });
    }

    async remove(key: string, { signal }: Abortable = {}): Promise<void> {
        const name = this.nameOf(key);
        await this.unlessMissing("delete", signal, ({ bucket, retrying: how }) =>
            retrying(how, () => bucket.file(name).delete()),
        );
    }

    private get before(): string {
        return this.place.prefix && `${this.place.prefix}/`;
    }

    private nameOf(key: string): string {
        return `${this.before}${checkKey(key)}`;
    }

    private objectOf({ name = "", size, metadata }: Gcs.FileMetadata): StoredObject {
        const sha256 = metadata?.[SHA256];
        return {
            key: name.slice(this.before.length),
            size: Number(size),
            ...(typeof sha256 === "string" ? { sha256 } : {}),
        };
    }

    private async unlessMissing<T>(
        action: GcsAction,
        signal: AbortSignal | undefined,
        work: (context: GcsContext) => Promise<T>,
    ): Promise<T | undefined> {
        return this.explained(action, signal, async (context) => {
            try {
                return await work(context);
            } catch (error) {
                if (statusOf(error) === 404 && !isMissingBucket(error)) {
                    return undefined;
                }
                throw error;
            }
        });
    }

    private async explained<T>(
        action: GcsAction,
        signal: AbortSignal | undefined,
        work: (context: GcsContext) => Promise<T>,
    ): Promise<T> {
        const { sdk, bucket } = await (this.loaded ??= this.load());
        const how = { patience: this.patience, hopeOf: gcsHope, signal };
        try {
            return await work({ sdk, bucket, retrying: how });
        } catch (error) {
            signal?.throwIfAborted();
            throw gcsError(error, action, this.place.bucket);
        }
    }

    private async load(): Promise<{ readonly sdk: Sdk; readonly bucket: Gcs.Bucket }> {
        const sdk = await loadPeer(
            "@google-cloud/storage",
            async () => (await import("@google-cloud/storage")) as unknown as Sdk,
            `the artifact store ${this.url}`,
        );
        // Retried here, in one way for all operations: what is retried inside of the client can't be stopped.
        const retryOptions = { autoRetry: false, maxRetries: 0, retryableErrorFn: () => false };
        const emulator = emulatorUrl();
        const storage = new sdk.Storage({
            retryOptions,
            timeout: this.patience.idleMs,
            apiEndpoint: emulator,
        });
        if (emulator !== undefined) {
            // Of the address in the environment, the client forgets the path that belongs behind it.
            storage.baseUrl = `${emulator}/storage/v1`;
        }
        return { sdk, bucket: storage.bucket(this.place.bucket) };
    }
}
