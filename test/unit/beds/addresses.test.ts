import * as fs from "node:fs";
import * as path from "node:path";
import { freeSecond } from "../../support/docker/network";
import { REPO } from "../../support/project";

const upTo = (last: number) => new Set(Array.from({ length: last - 199 }, (_, index) => 200 + index));

describe("addresses of Docker beds", () => {
    test("are the first that nothing uses", () => {
        expect(freeSecond(new Set())).toBe(200);
        expect(freeSecond(new Set([200, 202]))).toBe(201);
        expect(freeSecond(upTo(242))).toBe(243);
    });

    test("never are those of Kubernetes beds, however many beds there are", () => {
        const script = fs.readFileSync(path.join(REPO, "test/support/kubernetes/common.sh"), "utf8");
        const taken = new Set([...script.matchAll(/\b10\.(\d+)\./g)].map(([, second]) => Number(second)));
        expect([...taken]).toEqual(expect.arrayContaining([244, 245]));
        const beds: number[] = [];
        const take = () => beds.push(freeSecond(new Set(beds)));
        expect(() => Array.from({ length: 100 }, take)).toThrow(
            "no free subnet in 10.200.0.0 to 10.243.255.255",
        );
        expect(beds).toHaveLength(44);
        expect(beds.filter((second) => taken.has(second))).toEqual([]);
    });
});
