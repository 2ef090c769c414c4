import { buildGcs } from "./server";

/** Built before the first test, whose time it would count against. */
export default async function setup(): Promise<void> {
    await buildGcs();
}
