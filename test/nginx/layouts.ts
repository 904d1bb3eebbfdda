/** Files in the style of those that are found in the world, by what they are for. */
export const layouts: Readonly<Record<string, string>> = {
  "a node server, with WebSockets": `
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    server {
      listen 80; listen [::]:80; server_name app.example www.app.example;
      location / {
        proxy_pass http://localhost:3000; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_cache_bypass $http_upgrade;
      }
    }`,
  "a whole file with includes of types and logs": `
    user nginx; worker_processes auto; error_log /var/log/nginx/error.log notice; pid /var/run/nginx.pid; worker_rlimit_nofile 65535;
    events { worker_connections 1024; multi_accept on; use epoll; }
    http {
      types { text/html html htm; application/javascript js; }
      default_type application/octet-stream;
      log_format main '$remote_addr - $remote_user [$time_local] "$request" $status';
      access_log /var/log/nginx/access.log main;
      sendfile on; tcp_nopush on; keepalive_timeout 65; gzip on; gzip_types text/plain application/json; server_tokens off;
      upstream api { least_conn; server 10.0.0.11:9000 max_fails=3 fail_timeout=30s; server 10.0.0.12:9000; server 10.0.0.13:9000 backup; keepalive 32; }
      server {
        listen 80 default_server; server_name _;
        location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream error timeout http_502 http_503; }
        location = /health { access_log off; add_header Content-Type text/plain; return 200 "healthy\\n"; }
      }
    }`,
  "https with a redirect, as certificate tools leave it": `
    server {
      server_name shop.example www.shop.example;
      location / { proxy_pass http://127.0.0.1:8000; }
      listen 443 ssl; # managed
      ssl_certificate /etc/letsencrypt/live/shop.example/fullchain.pem; ssl_certificate_key /etc/letsencrypt/live/shop.example/privkey.pem;
      ssl_session_cache shared:le_nginx_SSL:10m; ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers off;
    }
    server {
      if ($host = www.shop.example) { return 301 https://$host$request_uri; } # managed
      if ($host = shop.example) { return 301 https://$host$request_uri; } # managed
      listen 80; server_name shop.example www.shop.example; return 404; # managed
    }`,
  "containers whose names are resolved later": `
    server {
      listen 80; resolver 127.0.0.11 valid=10s;
      location /api { set $upstream http://api:3000; proxy_pass $upstream; }
      location / { set $host_of_web web; proxy_pass http://$host_of_web:8080$request_uri; }
    }`,
  "a tool below a path": `
    upstream grafana { server grafana:3000; }
    server {
      listen 80; root /usr/share/nginx/html; index index.html;
      location /grafana/ { rewrite ^/grafana/(.*) /$1 break; proxy_set_header Host $host; proxy_pass http://grafana; }
      location /grafana/api/live/ { rewrite ^/grafana/(.*) /$1 break; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "Upgrade"; proxy_pass http://grafana; }
    }`,
  "answers to preflights": `
    server {
      listen 80;
      location /api/ {
        if ($request_method = 'OPTIONS') { add_header 'Access-Control-Allow-Origin' '*'; add_header 'Access-Control-Max-Age' 1728000; return 204; }
        add_header Access-Control-Allow-Origin * always;
        proxy_pass http://127.0.0.1:5000/;
      }
    }`,
  "blue and green by shares": `
    upstream blue { server 10.0.0.1:80; } upstream green { server 10.0.0.2:80; }
    split_clients "\${remote_addr}AAA" $variant { 5% green; * blue; }
    server { listen 80; location / { proxy_pass http://$variant; } }`,
  "versions by a header": `
    map $http_x_api_version $backend { default v1; "2" v2; "~^3\\." v3; }
    upstream v1 { server 10.0.0.1; } upstream v2 { server 10.0.0.2; } upstream v3 { server 10.0.0.3; }
    server { listen 8080; location /api/ { proxy_pass http://$backend; proxy_set_header X-Version $http_x_api_version; } }`,
  "streams of events and large uploads": `
    server {
      listen 80; client_max_body_size 0;
      location /events { proxy_pass http://127.0.0.1:4000; proxy_buffering off; proxy_cache off; proxy_read_timeout 24h; chunked_transfer_encoding off; proxy_set_header Connection ''; proxy_http_version 1.1; }
      location /upload { proxy_pass http://127.0.0.1:4001; proxy_request_buffering off; client_max_body_size 2g; proxy_send_timeout 600s; proxy_read_timeout 600s; }
    }`,
  "an address kept to one server": `
    upstream sticky { ip_hash; server 10.0.0.1:8080; server 10.0.0.2:8080; server 10.0.0.3:8080 down; }
    server { listen 80; location / { proxy_pass http://sticky; } }`,
  "a cache by key": `
    upstream cache { hash $scheme$proxy_host$request_uri consistent; server c1.internal:6081; server c2.internal:6081 weight=2; }
    server { listen 80; location / { proxy_pass http://cache; } }`,
  "a socket of a Python server": `
    upstream app_server { server unix:/tmp/gunicorn.sock fail_timeout=0; }
    server {
      listen 80; client_max_body_size 4G; keepalive_timeout 5;
      location / { try_files $uri @proxy_to_app; }
      location @proxy_to_app { proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Host $http_host; proxy_redirect off; proxy_pass http://app_server; }
      error_page 500 502 503 504 /500.html;
      location = /500.html { root /path/to/app/current/public; }
    }`,
  "servers that speak TLS": `
    upstream secure { server a.internal:8443; server b.internal:8443; }
    server { listen 80; location / { proxy_pass https://secure; proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/ca.pem; proxy_ssl_name api.internal; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2 TLSv1.3; } }`,
  "copies of calls": `
    upstream app { server 10.0.0.1; } upstream shadow { server 10.0.0.9; }
    server { listen 80; location / { mirror /mirror; proxy_pass http://app; } location = /mirror { internal; proxy_pass http://shadow$request_uri; } }`,
  "blocked paths and agents": `
    server {
      listen 80;
      location ~ /\\.(?!well-known).* { deny all; }
      location / { proxy_pass http://127.0.0.1:1; }
    }`,
  "blocked paths without a lookahead": `
    server {
      listen 80; if ($http_user_agent ~* (curl|wget|python)) { return 403; }
      location ~ /\\.ht { deny all; }
      location ~* \\.(bak|sql|log)$ { return 404; }
      location / { proxy_pass http://127.0.0.1:1; }
    }`,
  "PHP by FastCGI": `
    server { listen 80; root /var/www/html; index index.php; location / { try_files $uri $uri/ /index.php?$args; } location ~ \\.php$ { fastcgi_pass unix:/run/php/php-fpm.sock; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; } }`,
  "the file that nginx brings": `
    worker_processes 1; events { worker_connections 1024; }
    http { default_type application/octet-stream; sendfile on; keepalive_timeout 65;
      server { listen 80; server_name localhost; location / { root html; index index.html index.htm; } error_page 500 502 503 504 /50x.html; location = /50x.html { root html; } } }`,
  "a login in front": `
    server { listen 80; auth_basic "Restricted"; auth_basic_user_file /etc/nginx/.htpasswd; location / { proxy_pass http://kibana:5601; } location /open { auth_basic off; proxy_pass http://kibana:5601; } }`,
  "Lua of an ingress": `
    http { lua_package_path "/etc/nginx/lua/?.lua;;"; init_by_lua_block { collectgarbage("collect") }
      upstream upstream_balancer { server 0.0.0.1; balancer_by_lua_block { balancer.balance() } keepalive 320; }
      server { listen 80; location / { rewrite_by_lua_block { lua_ingress.rewrite({ force_ssl_redirect = false }) } proxy_pass http://upstream_balancer; } } }`,
  "a limit of requests": `
    http { limit_req_zone $binary_remote_addr zone=one:10m rate=10r/s;
      server { listen 80; location /login { limit_req zone=one burst=20 nodelay; proxy_pass http://127.0.0.1:1; } location / { proxy_pass http://127.0.0.1:1; } } }`,
  "many names": `
    server { listen 80; server_name .example.com ~^(?<sub>.+)\\.example\\.net$ example.*; location / { proxy_pass http://127.0.0.1:1; } }
    server { listen 80 default_server; server_name ""; return 444; }`,
  maintenance: `
    server { listen 80; if (-f /var/www/maintenance.html) { return 503; } location / { proxy_pass http://127.0.0.1:1; } }`,
  "pages for failures": `
    server { listen 80; proxy_intercept_errors on; error_page 404 /404.html; location / { proxy_pass http://127.0.0.1:1; } }`,
  "several servers of one process": `
    server { listen 8081; location / { proxy_pass http://127.0.0.1:1; } } server { listen 8082; location / { proxy_pass http://127.0.0.1:2; } }`,
};
