import { ApiError, type Api, type ApiRequest } from "../../../src/run/kubernetes/connection";

interface Stored {
    metadata: { name: string; labels: Record<string, string> };
    binaryData: Record<string, string>;
}

/** The ConfigMaps of a namespace. */
export class FakeConfigMaps implements Api {
    readonly namespace = "ns";
    readonly maps = new Map<string, Stored>();
    posts = 0;
    failAfter = Infinity;

    json<T>({ method = "GET", path: name, body, query }: ApiRequest): Promise<T> {
        const one = name.split("/configmaps/")[1];
        if (method === "POST") {
            const map = body as Stored;
            if (++this.posts > this.failAfter) {
                return Promise.reject(new Error("killed"));
            }
            if (this.maps.has(map.metadata.name)) {
                return Promise.reject(new ApiError(409, "already exists"));
            }
            this.maps.set(map.metadata.name, map);
        } else if (method === "DELETE") {
            this.maps.delete(one);
        } else if (one) {
            return Promise.resolve(this.maps.get(one) as T);
        }
        const wanted = String(query?.labelSelector ?? "").split(",");
        const items = [...this.maps.values()].filter(({ metadata }) =>
            wanted.every((term) => metadata.labels[term.split("=")[0]] === term.split("=")[1]),
        );
        return Promise.resolve({ items } as T);
    }

    stream = () => Promise.reject(new Error("nothing to stream"));
    exec = () => Promise.reject(new Error("nothing to run"));
}
