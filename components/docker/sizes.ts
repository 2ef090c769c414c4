const UNITS: Readonly<Record<string, number>> = {
    "": 1,
    b: 1,
    k: 2 ** 10,
    ki: 2 ** 10,
    kb: 2 ** 10,
    m: 2 ** 20,
    mi: 2 ** 20,
    mb: 2 ** 20,
    g: 2 ** 30,
    gi: 2 ** 30,
    gb: 2 ** 30,
    t: 2 ** 40,
    ti: 2 ** 40,
    tb: 2 ** 40,
};

/** What a size may look like, for people. */
export const SIZE_ALLOWED = 'a size such as "4Gi" or "512m"';

/** `4Gi`, `4g`, `512m`, `1.5Gi`, in mebibytes, rounded up; undefined if it is no size. Units are powers of 1024, as Docker's are. */
export function mebibytes(size: string): number | undefined {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(size.trim());
    const unit = match && UNITS[match[2].toLowerCase()];
    return match && unit !== undefined && unit !== null
        ? Math.ceil((Number(match[1]) * unit) / 2 ** 20)
        : undefined;
}
