/** The page: with data in it, it shows them; else it asks the service that it came from. */

import { render } from "preact";
import { keepAsking } from "./model/asking";
import { openEmbedded } from "./model/embedded";
import { keepPlanning } from "./model/planning";
import { followChoice } from "./model/player";
import "./style.css";
import { App } from "./views/App";

keepAsking();
keepPlanning();
followChoice();
render(<App />, document.getElementById("page")!);
void openEmbedded();
