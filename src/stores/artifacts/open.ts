import { DirectoryStore } from "./directory";
import { StoreError } from "./errors";
import { GcsStore } from "./gcs";
import type { Patience } from "./retry";
import type { ArtifactStore } from "./types";
import { parseStoreUrl } from "./url";

export interface OpenOptions {
    /**
     * What a relative path is relative to.
     * @default - the working directory
     */
    readonly base?: string;
    readonly patience?: Patience;
}

/**
 * Nothing is contacted or loaded before the first operation.
 * @throws StoreError if this can't be the URL of a store.
 */
export function openArtifactStore(url: string, { base, patience }: OpenOptions = {}): ArtifactStore {
    const place = parseStoreUrl(url, base);
    if (typeof place === "string") {
        throw new StoreError(place);
    }
    switch (place.kind) {
        case "file":
            return new DirectoryStore(place);
        case "gs":
            return new GcsStore(place, patience);
    }
}
