/** Where the following of an attempt stands. */
export interface Position {
    /** The machine's boot that is being read, or waited for. */
    readonly generation: number;
    /** The piece of its stream; 0: none yet. */
    readonly piece: number;
    /** How many of the piece's items were passed on. */
    readonly index: number;
}

export const BEGINNING: Position = { generation: 1, piece: 0, index: 0 };

export function writeBookmark({ generation, piece, index }: Position): string {
    return `${generation}.${piece}.${index}`;
}

export function readBookmark(text: string | undefined): Position {
    const found = /^(\d+)\.(\d+)\.(\d+)$/.exec(text ?? "");
    if (!found) {
        return BEGINNING;
    }
    const [generation, piece, index] = found.slice(1).map(Number) as [number, number, number];
    return { generation, piece, index };
}
