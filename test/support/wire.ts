/** How the SDK marks a secret on its way to the engine. */
export { secret as secretOf } from "../../src/provider/values";
