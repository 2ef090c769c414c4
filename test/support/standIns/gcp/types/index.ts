import type { Types } from "../../strict";
import { iamTypes } from "./iam";
import { instanceTypes } from "./instance";
import { providerTypes } from "./provider";
import { secretsTypes } from "./secrets";
import { storageTypes } from "./storage";

/** What the real plugin takes, by the names of its SDK: `test/unit/standIns` compares them. */
export const gcpTypes: Types = {
    ...iamTypes,
    ...instanceTypes,
    ...providerTypes,
    ...secretsTypes,
    ...storageTypes,
};
