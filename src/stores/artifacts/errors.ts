/** Something is wrong with a store, or with the way to it: a sentence what, and one what to do. */
export class StoreError extends Error {
    override readonly name = "StoreError";
}
