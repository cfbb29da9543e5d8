import { openEmbedded } from "../../src/db/open.ts";
import { engineContract } from "../support/engine-contract.ts";

engineContract("the embedded engine", () => openEmbedded(null));
