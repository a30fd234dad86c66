import "./page.js";
import "./small.js";
