import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.netflix.eureka.server.EnableEurekaServer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;

@Configuration
@EnableAutoConfiguration
@EnableEurekaServer
public class EurekaMain {
  public static void main(String[] args) {
    SpringApplication.run(EurekaMain.class, args);
  }

  /** HTTP basic authentication when a password is configured, open to everybody otherwise. */
  @Bean
  SecurityFilterChain chain(HttpSecurity http, Environment env) throws Exception {
    boolean auth = env.getProperty("spring.security.user.password") != null;
    http.csrf(c -> c.disable());
    if (auth) http.authorizeHttpRequests(r -> r.anyRequest().authenticated()).httpBasic(Customizer.withDefaults());
    else http.authorizeHttpRequests(r -> r.anyRequest().permitAll());
    return http.build();
  }
}
