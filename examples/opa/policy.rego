# opa build -t wasm -e mesh/rule -o bundle.tar.gz policy.rego && tar -xzf bundle.tar.gz /policy.wasm
package mesh

default rule := ""

# The name of the rule that allows a request; "" for none.
rule := "shop-reads-orders" if {
	input.caller == "spiffe://example.org/shop/web"
	input.method in {"GET", "HEAD"}
	startswith(input.path, "/orders/")
	not endswith(input.path, "/draft")
}
