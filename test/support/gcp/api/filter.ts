import { badRequest } from "./errors";

/**
 * The part of Compute Engine's list filters that stands in comparisons joined by AND: `status=RUNNING`,
 * `labels.run:abc`, `(name = "x") AND (operationType != "stop")`.
 */
export function filterOf(text: string | null): (item: object) => boolean {
    const terms = (text ?? "")
        .split(/\s+AND\s+|\)\s*\(/)
        .map((term) => term.replace(/^[\s(]+|[\s)]+$/g, ""))
        .filter(Boolean)
        .map(termOf);
    return (item) => terms.every((term) => term(item));
}

function termOf(term: string): (item: object) => boolean {
    const found = /^([\w.-]+)\s*(=|!=|:|\beq\b|\bne\b)\s*(?:"([^"]*)"|'([^']*)'|(\S+))$/.exec(term);
    if (!found) {
        throw badRequest(`Invalid value for field 'filter': '${term}'. Invalid list filter expression.`);
    }
    const [, field = "", operator, ...values] = found;
    const wanted = values.find((value) => value !== undefined) ?? "";
    return (item) => {
        const value = fieldOf(item, field);
        switch (operator) {
            case "=":
                return value === wanted;
            case "!=":
                return value !== wanted;
            case "eq":
                return new RegExp(`^(?:${wanted})$`).test(value ?? "");
            case "ne":
                return !new RegExp(`^(?:${wanted})$`).test(value ?? "");
            default:
                return value !== undefined && (wanted === "*" || value.includes(wanted));
        }
    };
}

function fieldOf(item: object, path: string): string | undefined {
    const value = path
        .split(".")
        .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], item);
    return value === undefined || value === null ? undefined : String(value);
}
